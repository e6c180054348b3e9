// A store in a temporary folder, for tests of what lies over the ordered log, and entries to put in it.

import { join } from "node:path";
import type { Test } from "tap";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { openLevelLog } from "../../server/store/engine-level.ts";
import type { EntryDraft } from "../../server/store/entries.ts";
import type { OrderedLog } from "../../server/store/log.ts";

/** Opens an empty store that is closed at the end of the test. */
export async function openTestLog(t: Test): Promise<OrderedLog> {
  const log = await openLevelLog({ folder: join(t.testdir(), "store") });
  t.teardown(() => log.close());
  return log;
}

/** A valid entry of the trust domain north.test, with what a test changes about it. */
export function draft(changes: Partial<RegistrationEntry> = {}): EntryDraft {
  return {
    id: "",
    spiffeId: "spiffe://north.test/workload",
    parentId: "spiffe://north.test/node",
    selectors: [{ type: "unix", value: "uid:1000" }],
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAtUnixSeconds: 0,
    dnsNames: [],
    storeSvid: false,
    hint: "",
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
    ...changes,
  };
}
