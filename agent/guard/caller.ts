// Who calls the guard service on the Workload API's socket: any attested process that has an identity. What
// is written down as seen by it carries that identity.

import type { CallContext } from "../../proto/rpc/service.ts";
import type { Subscribers } from "../cache/subscribers.ts";
import { noIdentity } from "../cache/view.ts";
import type { Caller } from "../workload-api/callers.ts";
import type { GuardCaller } from "./index.ts";

export interface GuardCallersOptions {
  readonly admit: (context: CallContext) => Promise<Caller>;
  readonly subscribers: Subscribers;
}

/** Admits callers by their identity. @throws NO_IDENTITY_ISSUED, and what attestation throws */
export function guardCallers({
  admit,
  subscribers,
}: GuardCallersOptions): (context: CallContext) => Promise<GuardCaller> {
  return async (context) => {
    const caller = await admit(context);
    const view = subscribers.view(caller.selectors);
    const [first] = view.entries;
    if (first === undefined) throw noIdentity();
    return {
      spiffeId: first.spiffeId,
      role: "guard",
      signal: caller.signal,
      assertStill: () => {
        caller.assertUnchanged();
        // The same while the stream lives: who saw something must not change in between.
        if (!view.entries.some(({ spiffeId }) => spiffeId === first.spiffeId)) throw noIdentity();
      },
    };
  };
}
