// What the processes of this example tell main.ts: one JSON line each on standard output.
import type { WorkloadX509Svid } from "../../client/index.ts";

export type Report =
  | {
      readonly event: "identity";
      readonly spiffeId: string;
      readonly serial: string;
      /** Key identifier of the authority that signed it, hex. */
      readonly authority: string;
      /** Since the process began. */
      readonly afterMs: number;
    }
  | { readonly event: "listening"; readonly port: number }
  | { readonly event: "refused"; readonly reason: string; readonly message: string }
  | {
      readonly event: "calls";
      readonly toPeer: number;
      readonly toTool: number;
      readonly failed: number;
      readonly firstFailure: string;
    };

export function report(line: Report): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Tells which SVID the process holds now. */
export function reportIdentity(svid: WorkloadX509Svid): void {
  report({
    event: "identity",
    spiffeId: svid.id.toString(),
    serial: svid.leaf.serialHex,
    authority: Buffer.from(svid.leaf.authorityKeyId ?? []).toString("hex"),
    afterMs: performance.now(),
  });
}

/** Resolves when whoever started this process closes its standard input. */
export function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin
      .resume()
      .once("end", resolve)
      .once("error", () => resolve());
  });
}
