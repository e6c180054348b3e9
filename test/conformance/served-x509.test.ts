// The X.509 documents that a running server and node agent hand out, read by other readers than our own:
// @peculiar/x509 and node:crypto. The rows again that a wrong profile anywhere on the way would break.
import "reflect-metadata";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import t from "tap";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import { EntryService, SvidService, type workload } from "../../proto/schema.gen.ts";
import { command } from "../support/command.ts";
import { first } from "../support/test-agent.ts";
import { eventually, TestTrustDomain } from "../support/trust-domain.ts";

const domain = new TestTrustDomain(t);
await domain.start();
await domain.createEntry({ path: "/db", more: { dnsNames: ["db.north.test", "b"] } });
const client = domain.workload();
const message = await eventually(() => first(client.fetchX509SVID({})));
const [svid] = message.svids as [workload.X509SVID];
const [leaf, root] = [svid.x509Svid, svid.bundle].map((der) => ({
  node: new X509Certificate(der),
  read: new x509.X509Certificate(Uint8Array.from(der)),
})) as [Read, Read];
const adminSocket = domain.server?.adminSocket ?? "";
const admin = createChannel({ address: { unix: adminSocket } });
t.teardown(() => admin.close());

interface Read {
  readonly node: X509Certificate;
  readonly read: x509.X509Certificate;
}

const usageOf = ({ read }: Read) => read.getExtension(x509.KeyUsagesExtension);
const { KeyUsageFlags } = x509;

/** Asks the server for a certificate of a key of ours, with what the request says. */
async function mint(uris: string[], dnsNames: string[] = []): Promise<X509Certificate> {
  const csr = createCsr(generateP256KeyPair(), { uris, dnsNames });
  const { svid } = await admin.client(SvidService).mintX509SVID({ csr });
  return new X509Certificate(svid?.certChain[0] ?? "");
}
const refused = { reason: "SVID_REQUEST_INVALID", code: 3 };

t.test("X509-01, X509-02, X509-05 one URI name beside any DNS names", async (t) => {
  t.equal(leaf.node.subjectAltName, "URI:spiffe://north.test/db, DNS:db.north.test, DNS:b");
  const minted = await mint(["spiffe://north.test/tool"], ["a.test"]);
  t.equal(minted.subjectAltName, "URI:spiffe://north.test/tool, DNS:a.test");
  await t.rejects(mint(["spiffe://north.test/a", "spiffe://north.test/b"]), refused, "two asked");
  await t.rejects(mint([], ["a.test"]), refused, "none asked");
});

t.test("X509-06, X509-24, ID-31 only workloads of the own trust domain", async (t) => {
  t.match((await mint(["spiffe://north.test/a"])).subjectAltName, "URI:spiffe://north.test/a");
  await t.rejects(mint(["spiffe://north.test"]), refused, "no path");
  await t.rejects(mint(["spiffe://south.test/a"]), refused, "another trust domain");
  const spiffeId = { trustDomain: "south.test", path: "/a" };
  const selectors = [{ type: "unix", value: "uid:0" }];
  const parentId = { trustDomain: "north.test", path: "/spire/agent/x" };
  const entries = [spiffeId, { ...spiffeId, trustDomain: "north.test", path: "" }].map((id) => ({
    ...{ spiffeId: id, parentId, selectors },
  }));
  const { results } = await admin.client(EntryService).batchCreateEntry({ entries });
  t.strictSame(
    results.map(({ status }) => status?.code),
    [3, 3],
    "no entry either",
  );
});

t.test("X509-10, X509-12, X509-13 authorities and leaves say which they are", async (t) => {
  t.equal(root.node.ca, true);
  t.equal(leaf.node.ca, false);
  for (const certificate of [leaf, root]) t.equal(usageOf(certificate)?.critical, true);
  t.ok((usageOf(root)?.usages ?? 0) & KeyUsageFlags.keyCertSign);
});

t.test("X509-15, X509-16, X509-17, X509-18 neither has a usage of the other", async (t) => {
  t.equal(usageOf(leaf)?.usages, KeyUsageFlags.digitalSignature);
  t.equal(usageOf(root)?.usages, KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign);
});

t.test("X509-19, X509-20, X509-21 both purposes on leaves, none on authorities", async (t) => {
  t.strictSame(leaf.node.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  t.equal(root.read.getExtension(x509.ExtendedKeyUsageExtension), null);
});

t.test("X509-42 the leaf chains to the authority and ends before it", async (t) => {
  const identifier = root.read.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  t.equal(leaf.read.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId, identifier);
  t.ok(leaf.node.checkIssued(root.node) && leaf.node.verify(root.node.publicKey));
  t.ok(leaf.read.notAfter <= root.read.notAfter && leaf.read.notBefore >= root.read.notBefore);
  const long = await domain.createEntry({ path: "/long", ttlSeconds: 30 * 86_400 });
  const capped = await eventually(async () => {
    const { svids } = await first(client.fetchX509SVID({}));
    const found = svids.find(({ spiffeId }) => spiffeId === long.spiffeId);
    if (found === undefined) throw new Error("not yet");
    return new x509.X509Certificate(Uint8Array.from(found.x509Svid));
  });
  t.same(capped.notAfter, root.read.notAfter, "a longer lifetime is cut");
});

t.test("WL-18, WL-19, WL-20 what FetchX509SVID sends is what its fields say", async (t) => {
  t.equal(leaf.node.raw.length, svid.x509Svid.length, "nothing follows the leaf");
  t.equal(root.node.raw.length, svid.bundle.length, "nothing follows the authority");
  const key = createPrivateKey({
    key: Buffer.from(svid.x509SvidKey),
    format: "der",
    type: "pkcs8",
  });
  t.ok(leaf.node.checkPrivateKey(key));
  t.notOk(root.node.checkPrivateKey(key));
});

interface Jwk extends JsonWebKey {
  readonly use: string;
  readonly kid?: string;
  readonly x5c?: string[];
}

interface Document {
  readonly keys: Jwk[];
  readonly spiffe_sequence: number;
  readonly spiffe_refresh_hint: number;
}

/** The bundle as an operator gives it to a federated trust domain. */
async function published(): Promise<Document> {
  const socket = ["--admin-socket", adminSocket];
  const { out } = await command("bundle", "show", "--format", "spiffe", ...socket);
  return JSON.parse(out);
}

t.test(
  "BND-01, BND-03, BND-06, BND-13, BND-14, BND-16 the bundle that is shown is complete",
  async (t) => {
    const bundle = await published();
    t.strictSame(Object.keys(bundle).sort(), ["keys", "spiffe_refresh_hint", "spiffe_sequence"]);
    t.ok(Number.isInteger(bundle.spiffe_sequence) && bundle.spiffe_sequence > 0);
    t.equal(bundle.spiffe_refresh_hint, 300);
    t.strictSame(
      bundle.keys.map((key) => Object.keys(key).sort().join()),
      ["crv,kty,use,x,x5c,y", "crv,kid,kty,use,x,y"],
      "no member too many, and none that is private",
    );
  },
);

t.test(
  "X509-34, X509-35, X509-36, X509-37, X509-38 each authority is one self-signed certificate with its own key",
  async (t) => {
    const before = await published();
    const { preparedAuthority } = await domain.authorities.prepareX509Authority({});
    t.ok(preparedAuthority?.authorityId);
    const after = await published();
    const keys = after.keys.filter(({ use }) => use === "x509-svid");
    t.equal(keys.length, 2, "one for each authority");
    t.ok(after.spiffe_sequence > before.spiffe_sequence);
    for (const { x5c = [], kid, use: _, ...jwk } of keys) {
      t.equal(kid, undefined);
      t.equal(x5c.length, 1);
      const der = Buffer.from(x5c[0] ?? "", "base64");
      t.equal(der.toString("base64"), x5c[0], "standard base64");
      const certificate = new X509Certificate(der);
      t.ok(certificate.verify(certificate.publicKey), "self-signed");
      t.equal(certificate.issuer, certificate.subject);
      t.ok(createPublicKey({ key: jwk, format: "jwk" }).equals(certificate.publicKey));
      t.notOk(createPublicKey({ key: jwk, format: "jwk" }).equals(leaf.node.publicKey));
    }
  },
);

t.test(
  "ID-26, ID-27, X509-22, X509-23 every authority carries the trust domain's ID, without a path",
  async (t) => {
    t.equal(root.node.subjectAltName, "URI:spiffe://north.test");
    const prepared = (await published()).keys.flatMap(({ x5c = [] }) => x5c);
    t.equal(prepared.length, 2);
    for (const text of prepared) {
      const { subjectAltName } = new X509Certificate(Buffer.from(text, "base64"));
      t.equal(subjectAltName, "URI:spiffe://north.test");
    }
  },
);
