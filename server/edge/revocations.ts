// Ends connections whose peer has lost its right to them: a banned or evicted agent, a certificate that
// was replaced by a newer one, an authority that left its bundle. A tainted authority ends none: its
// agents need their connections to replace what it signed; that they do is seen when it is revoked.
import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { BundleStore } from "../store/bundles.ts";
import type { NodeStore } from "../store/nodes.ts";
import type { Connections } from "./connections.ts";

/** Calls are refused at once; this long, the status that says why may take to get out. */
const STATUS_GRACE_MS = 100;
/** Calls that an agent began with the certificate it has just replaced have this long to end. */
const RENEWAL_GRACE_MS = 5000;

export interface RevocationOptions {
  readonly nodes: NodeStore;
  readonly bundles: BundleStore;
  readonly connections: Connections;
  readonly clock: Clock;
}

/** Follows the changes that end connections, until the returned function is called. */
export function followRevocations(options: RevocationOptions): () => void {
  const { nodes, bundles, connections, clock } = options;
  const stopNodes = nodes.onChange((changes) => {
    for (const { id, before, after } of changes) {
      if (before === undefined) continue;
      if (after === undefined || after.banned) {
        const why = after === undefined ? "the agent was evicted" : "the agent was banned";
        clock.setTimer(STATUS_GRACE_MS, () => connections.closePeer(id, why));
      } else if (after.serial !== before.serial) {
        clock.setTimer(RENEWAL_GRACE_MS, () => {
          // By then it may have renewed again, or be about to use the next one.
          const { serial, newSerial } = nodes.get(id) ?? after;
          const isKept = (shown: string): boolean => shown === serial || shown === newSerial;
          connections.closePeer(id, "it has a newer certificate", isKept);
        });
      }
    }
  });
  const stopBundles = bundles.onChange((changes) => {
    if (changes.some(({ before, after }) => hasLost(before, after))) void connections.recheck();
  });
  return () => {
    stopNodes();
    stopBundles();
  };
}

/** Whether an X.509 authority is gone. */
function hasLost(before: Bundle | undefined, after: Bundle | undefined): boolean {
  const kept = new Set(
    after?.x509Authorities.map(({ der }) => Buffer.from(der).toString("latin1")),
  );
  const former = before?.x509Authorities ?? [];
  return former.some(({ der }) => !kept.has(Buffer.from(der).toString("latin1")));
}
