// A corpus of good and bad documents, judged by readers that nobody here wrote: they say what we say, but
// for the disagreements that are known and told in docs/readers.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { IdentityError } from "../../pki/errors.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { parseCrl } from "../../pki/x509/crl.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import type { ChainCase, CrlCase, ReaderName, RequestCase, Verdict } from "./corpus/case.ts";
import { CHAINS, SPIFFE_CHAINS } from "./corpus/chains.ts";
import { CRLS } from "./corpus/crls.ts";
import { CANNOT_TELL, DISAGREEMENTS } from "./corpus/disagreements.ts";
import { REQUESTS } from "./corpus/requests.ts";
import { gnutls } from "./judges/gnutls.ts";
import { chainFiles, crlFiles, type Judge, requestFiles } from "./judges/judge.ts";
import { node } from "./judges/node.ts";
import { nss } from "./judges/nss.ts";
import { openssl } from "./judges/openssl.ts";
import { processJudge } from "./judges/processes.ts";
import { buildDir, goReader, pythonReader } from "./readers.ts";

const dir = buildDir(t);
const go = goReader(dir);
const JUDGES: readonly Judge[] = [
  openssl,
  gnutls,
  nss,
  node,
  processJudge("go", [go, "go"], ["chains", "crls", "requests"]),
  processJudge("zlint", [go, "zlint"], ["chains", "crls"]),
  processJudge("python", pythonReader(dir, "verify.py"), ["chains", "crls", "requests"]),
];

const chains = [...CHAINS, ...SPIFFE_CHAINS];
const files = {
  chains: chainFiles(dir, chains),
  crls: crlFiles(dir, CRLS),
  requests: requestFiles(dir, REQUESTS),
};

type Row = ChainCase | CrlCase | RequestCase;

/** The reason with which we refuse; undefined when we accept. */
function ours(row: Row): string | undefined {
  try {
    if ("request" in row) {
      parseCsr(row.request);
    } else if ("crl" in row) {
      const list = parseCrl(row.crl);
      if (!list.isSignedBy(parseCertificate(row.authority).publicKey)) return "unsigned";
      const { serialHex } = parseCertificate(row.leaf);
      if ((list.reasonOf(serialHex) === undefined) !== (row.unlisted === true)) return "listing";
    } else {
      const anchors = row.anchors.map((der) => parseCertificate(der));
      const chain = [row.leaf, ...row.intermediates];
      validateX509Svid(chain, () => anchors, new Date(), "server");
    }
    return undefined;
  } catch (error) {
    return error instanceof IdentityError ? error.reason : String(error);
  }
}

t.test("we say of every document what the corpus says", async (t) => {
  for (const row of [...chains, ...CRLS, ...REQUESTS]) t.equal(ours(row), row.reason, row.name);
});

function disagrees(reader: ReaderName, name: string): boolean {
  return DISAGREEMENTS.some(
    ({ readers, cases }) => readers.includes(reader) && cases.includes(name),
  );
}

for (const judge of JUDGES) {
  t.test(`${judge.name} agrees with us`, async (t) => {
    t.comment(await judge.version());
    const compare = (rows: readonly Row[], verdicts: ReadonlyMap<string, Verdict>): void => {
      for (const row of rows) {
        const verdict = verdicts.get(row.name);
        if (!t.ok(verdict, `${row.name} was judged`) || verdict === undefined) continue;
        if (CANNOT_TELL[judge.name]?.includes(row.reason ?? "")) continue;
        // What X.509 knows nothing of, no reader of X.509 refuses.
        const isGood = row.reason === undefined || SPIFFE_CHAINS.some((one) => one === row);
        const expected = isGood !== disagrees(judge.name, row.name);
        t.equal(verdict.accepted, expected, `${row.name}: ${verdict.says.slice(-300)}`);
      }
    };
    if (judge.chains) compare(chains, await judge.chains(files.chains));
    if (judge.crls) compare(CRLS, await judge.crls(files.crls));
    if (judge.requests) compare(REQUESTS, await judge.requests(files.requests));
  });
}

t.test("docs/readers.md tells every disagreement, and no other", async (t) => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/readers.md"), "utf8");
  const rows = page.split("\n").filter((line) => /^\| .* \| .* \| .* \|$/.test(line));
  const told = rows.slice(1).map((row) =>
    row
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
  const known = DISAGREEMENTS.map(({ readers, cases, why }) => [
    cases.join("; "),
    readers.join(", "),
    why,
  ]);
  t.same(told.sort(), known.sort());
  const names = new Set([...chains, ...CRLS, ...REQUESTS].map(({ name }) => name));
  for (const { cases } of DISAGREEMENTS) for (const name of cases) t.ok(names.has(name), name);
  t.match(page, `${chains.length} chains, ${CRLS.length} lists and ${REQUESTS.length} requests`);
});
