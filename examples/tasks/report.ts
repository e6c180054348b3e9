// What the processes of this example tell main.ts: one JSON line each on standard output.

export type Report =
  | { readonly event: "listening"; readonly port: number }
  | {
      readonly event: "opened";
      readonly pid: number;
      readonly id: string;
      readonly spiffeId: string;
      readonly expiresAt: string;
      readonly certificateUntil: string;
      readonly locations: readonly string[];
      readonly actions: readonly string[];
    }
  | { readonly event: "tools"; readonly names: readonly string[] }
  | { readonly event: "called"; readonly tool: string; readonly text: string }
  | { readonly event: "refused"; readonly tool: string; readonly why: string }
  | {
      readonly event: "secrets";
      /** DER in base64. */
      readonly chain: readonly string[];
      /** PKCS #8 DER in base64. */
      readonly key: string;
      readonly token: string;
    };

export function report(line: Report): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** What a server said of a refusal, out of what the MCP client makes of it. */
export function saidBy(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/socket hang up|ECONNRESET/.test(text)) return "closed by the ticket server";
  const [, message] = /"message":("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  const said = message === undefined ? (text.split("\n", 1)[0] ?? "") : JSON.parse(message);
  // Which task it is stands above.
  return String(said).replace(/the task spiffe:\S+/, "the task");
}
