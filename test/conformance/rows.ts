// The rows of the SPIFFE standards that bind this version of Signet, by the standard they come from,
// and those left out with the reason. Every row is one test in this folder whose title starts with
// the row's ID. `npm run conformance` (run.ts) counts them.

/** A standard, and its rows that bind what Signet is today. */
export interface Standard {
  readonly name: string;
  readonly prefix: string;
  readonly rows: readonly string[];
  /** Rows of the standard that bind no part that exists, with the part that is missing. */
  readonly notApplicable: Readonly<Record<string, string>>;
}

function range(prefix: string, first: number, last: number): string[] {
  return Array.from(
    { length: last - first + 1 },
    (_, index) => `${prefix}-${String(first + index).padStart(2, "0")}`,
  );
}

function leaveOut(ids: readonly string[], why: string): Record<string, string> {
  return Object.fromEntries(ids.map((id) => [id, why]));
}

const noBroker = "binds parties of the Broker API alone, which comes later";

export const STANDARDS: readonly Standard[] = [
  { name: "SPIFFE ID", prefix: "ID", rows: range("ID", 1, 33), notApplicable: {} },
  { name: "X509-SVID", prefix: "X509", rows: range("X509", 1, 43), notApplicable: {} },
  { name: "JWT-SVID", prefix: "JWT", rows: range("JWT", 1, 31), notApplicable: {} },
  { name: "Trust domain and bundle", prefix: "BND", rows: range("BND", 1, 29), notApplicable: {} },
  { name: "Workload Endpoint", prefix: "EP", rows: range("EP", 1, 25), notApplicable: {} },
  { name: "Workload API", prefix: "WL", rows: range("WL", 1, 53), notApplicable: {} },
  { name: "WIT-SVID", prefix: "WIT", rows: range("WIT", 1, 38), notApplicable: {} },
  { name: "Federation", prefix: "FED", rows: range("FED", 1, 41), notApplicable: {} },
  absent("Broker Endpoint", "BRE", 16, noBroker),
  {
    name: "Broker API",
    prefix: "BRK",
    rows: ["BRK-05"],
    notApplicable: leaveOut(
      range("BRK", 1, 44).filter((id) => id !== "BRK-05"),
      noBroker,
    ),
  },
  { name: "Stability", prefix: "STB", rows: range("STB", 1, 3), notApplicable: {} },
];

/** A standard of which nothing is built. */
function absent(name: string, prefix: string, last: number, why: string): Standard {
  return { name, prefix, rows: [], notApplicable: leaveOut(range(prefix, 1, last), why) };
}

/** Row IDs at the start of a test's title: "X509-03 rejects ..." or "EP-06, EP-07 refuses ...". */
export function rowsOf(title: string): string[] {
  const head = /^(?:[A-Z0-9]+-\d{2}(?:[,/&]?\s*))+/.exec(title)?.[0] ?? "";
  return head.match(/[A-Z0-9]+-\d{2}/g) ?? [];
}
