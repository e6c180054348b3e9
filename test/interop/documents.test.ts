// Documents both ways: go-spiffe and py-spiffe read our bundle, token and SVID; we read what Go and Python
// issue without a line of ours.
import t, { type Test } from "tap";
import { equalBundles, type JwtAuthority } from "../../pki/bundle/bundle.ts";
import { formatBundle, formatJwks } from "../../pki/bundle/format.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../pki/jwt/svid.ts";
import { signerOf } from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { type Certificate, parseCertificate } from "../../pki/x509/certificate.ts";
import { parseCrl } from "../../pki/x509/crl.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { LaxAuthority } from "../support/lax-authority.ts";
import { run } from "../support/signet.ts";
import { testKeyPair } from "../support/test-certificate.ts";
import { buildDir, goReader, pythonReader } from "./readers.ts";

const north = TrustDomain.parse("north.test");
const south = TrustDomain.parse("south.test");
const authority = LaxAuthority.create({ trustDomain: "north.test" });
const svid = authority.issue("/db");
const keys = testKeyPair();
const ourKey = { keyId: "north-1", spki: keys.spki, expiresAt: undefined, tainted: false };
const bundle = {
  trustDomain: north,
  x509Authorities: [{ der: authority.certificate.der, tainted: false }],
  jwtAuthorities: [ourKey],
  witAuthorities: [],
  sequence: 9_007_199_254_740_993n,
  refreshHintSeconds: 300,
};
const now = new Date();
const expiresAt = new Date(now.getTime() + 60_000);
const spiffeId = SpiffeId.parse("spiffe://north.test/db");
const order = { signer: signerOf("k", keys), keyId: "north-1", spiffeId, expiresAt };
const token = await issueJwtSvid({ ...order, audience: ["ledger"], issuedAt: now });
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const bytes = (text: string): Uint8Array => Buffer.from(text, "base64");

/** What another language made for spiffe://south.test/db, its serial number 4711 revoked. */
interface Theirs {
  readonly chain: string;
  readonly request: string;
  readonly list: string;
  readonly token: string;
}

async function readTheirs(
  t: Test,
  theirs: Theirs,
  anchor: Certificate,
  jwtKey: JwtAuthority,
): Promise<void> {
  const read = validateX509Svid([bytes(theirs.chain)], () => [anchor], new Date(), "server");
  t.equal(read.id.toString(), "spiffe://south.test/db");
  t.equal(parseCsr(bytes(theirs.request)).uris[0], "spiffe://south.test/db");
  const list = parseCrl(bytes(theirs.list));
  t.equal(list.isSignedBy(anchor.publicKey), true);
  t.equal(list.reasonOf(read.leaf.serialHex), "key-compromise");
  t.equal(list.number, 7n);
  const authoritiesOf = (domain: TrustDomain) => (domain.equals(south) ? [jwtKey] : undefined);
  const expected = { audience: ["ledger"], authoritiesOf, now: new Date() };
  const validated = await validateJwtSvid(theirs.token, expected);
  t.equal(validated.id.toString(), "spiffe://south.test/db");
  const elsewhere = validateJwtSvid(theirs.token, { ...expected, audience: ["another"] });
  await t.rejects(elsewhere, { reason: "JWT_SVID_AUDIENCE", code: 3 });
}

t.test("go-spiffe and Go: our documents there, theirs here", async (t) => {
  const input = JSON.stringify({ bundle: formatBundle(bundle), token });
  const { status, stdout, stderr } = await run(goReader(buildDir(t)), ["documents"], { input });
  t.equal(status, 0, stderr);
  const theirs = JSON.parse(stdout) as Theirs & { bundle: string; again: string; subject: string };
  t.equal(theirs.subject, spiffeId.toString());
  const again = parseBundle(north, theirs.again);
  t.ok(equalBundles(again, bundle), "what go-spiffe writes again says what we wrote");
  t.equal(again.sequence, bundle.sequence);
  const foreign = parseBundle(south, theirs.bundle);
  t.match(foreign, { sequence: 42n, refreshHintSeconds: 300 });
  const [anchor] = foreign.x509Authorities;
  const [jwtKey] = foreign.jwtAuthorities;
  if (anchor === undefined || jwtKey === undefined) throw new Error("half a bundle");
  await readTheirs(t, theirs, parseCertificate(anchor.der), jwtKey);
});

t.test("py-spiffe and python-cryptography: our documents there, theirs here", async (t) => {
  const input = JSON.stringify({
    jwks: formatJwks(bundle),
    token,
    x509: base64(authority.certificate.der),
    chain: base64(Buffer.concat(svid.chain)),
    key: base64(svid.privateKey),
  });
  const [python, program] = pythonReader(buildDir(t), "documents.py");
  const { status, stdout, stderr } = await run(python, [program], { input });
  t.equal(status, 0, stderr);
  const theirs = JSON.parse(stdout) as Theirs &
    Record<"authority" | "key" | "subject" | "holder", string>;
  t.match(theirs, { subject: spiffeId.toString(), holder: spiffeId.toString(), authorities: 1 });
  const jwtKey = { ...ourKey, keyId: "south-1", spki: bytes(theirs.key) };
  await readTheirs(t, theirs, parseCertificate(bytes(theirs.authority)), jwtKey);
});
