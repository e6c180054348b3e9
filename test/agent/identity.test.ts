// The agent's own identity: sealed on disk, taken up again after a restart, given up when it cannot be used.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readBootstrapBundle } from "../../agent/bootstrap.ts";
import { AgentIdentity } from "../../agent/identity.ts";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import { formatBundle } from "../../pki/bundle/format.ts";
import { exportPkcs8 } from "../../pki/keys.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { formatPem } from "../../pki/x509/pem.ts";
import { createLogger, silentLogger } from "../../runtime/log.ts";
import { loadOrCreateSealingKey, sealedFile } from "../../runtime/sealed-file.ts";
import { TestAuthority } from "../support/test-authority.ts";

const PATH = "/spire/agent/join_token/abc";

const bundleOf = (authority: TestAuthority, name = authority.trustDomain.name): Bundle => ({
  trustDomain: TrustDomain.parse(name),
  x509Authorities: [{ der: authority.root.der, tainted: false }],
  jwtAuthorities: [],
  witAuthorities: [],
  sequence: 7n,
  refreshHintSeconds: 300,
});

async function frame(t: { testdir(): string }) {
  const folder = t.testdir();
  const key = await loadOrCreateSealingKey(join(folder, "sealing.key"), silentLogger);
  const file = sealedFile(join(folder, "identity.sealed"), key, "agent-identity");
  const authority = await TestAuthority.create();
  const load = (
    more: { bootstrap?: Bundle; trustDomain?: string; now?: Date; log?: typeof silentLogger } = {},
  ): Promise<AgentIdentity> =>
    AgentIdentity.load(
      {
        trustDomain: TrustDomain.parse(more.trustDomain ?? "north.test"),
        file,
        bootstrap: more.bootstrap,
        log: more.log ?? silentLogger,
      },
      more.now ?? new Date(),
    );
  return { folder, file, authority, load };
}

t.test("key, SVID and bundle survive a restart, and stand nowhere in the clear", async (t) => {
  const { file, authority, load } = await frame(t);
  const svid = await authority.issue(PATH);
  const before = await load();
  t.equal(before.svid(), undefined);
  t.notOk(before.hasTrust);
  await before.adopt({ ...svid, canReattest: false }, bundleOf(authority));

  const after = await load();
  t.equal(after.svid()?.id.toString(), `spiffe://north.test${PATH}`);
  t.same(exportPkcs8(after.svid()?.privateKey ?? svid.privateKey), exportPkcs8(svid.privateKey));
  t.equal(after.anchorsOf(TrustDomain.parse("north.test"))?.length, 1);
  t.equal(after.anchorsOf(TrustDomain.parse("south.test")), undefined);
  t.equal(after.bundle?.sequence, 7n);
  const bytes = readFileSync(file.path);
  t.notOk(bytes.includes(Buffer.from(exportPkcs8(svid.privateKey)).toString("base64")));
  t.notOk(bytes.includes("north.test"));
});

t.test("an expired SVID is not taken up; the bundle is", async (t) => {
  const { authority, load } = await frame(t);
  const svid = await authority.issue(PATH, { notAfter: new Date(Date.now() + 60_000) });
  await (await load()).adopt({ ...svid, canReattest: false }, bundleOf(authority));
  const later = await load({ now: new Date(Date.now() + 120_000) });
  t.equal(later.svid(), undefined);
  t.ok(later.hasTrust);
});

t.test("the identity of another trust domain is not taken up", async (t) => {
  const { authority, load } = await frame(t);
  const svid = await authority.issue(PATH);
  await (await load()).adopt({ ...svid, canReattest: false }, bundleOf(authority));
  const lines: string[] = [];
  const log = createLogger({ destination: { write: (line) => lines.push(line) } });
  const other = await load({ trustDomain: "south.test", log });
  t.equal(other.svid(), undefined);
  t.notOk(other.hasTrust);
  t.match(lines.join(""), /another trust domain/);
});

t.test("a newer bundle is in use at once, and on disk once it has been persisted", async (t) => {
  const { authority, load } = await frame(t);
  const identity = await load();
  const svid = await authority.issue(PATH);
  await identity.adopt({ ...svid, canReattest: false }, bundleOf(authority));
  const next = await TestAuthority.create();
  let changes = 0;
  identity.onChange(() => changes++);
  const both = {
    ...bundleOf(authority),
    x509Authorities: [authority, next].map(({ root }) => ({ der: root.der, tainted: false })),
  };
  identity.trust(both);
  t.equal(changes, 1);
  t.equal(identity.anchorsOf(authority.trustDomain)?.length, 2);
  t.equal((await load()).bundle?.x509Authorities.length, 1, "not yet");
  await identity.persist();
  t.equal((await load()).bundle?.x509Authorities.length, 2);
});

t.test("the operator's bundle counts until there is an SVID, beside the stored one", async (t) => {
  const { authority, load } = await frame(t);
  const old = await TestAuthority.create();
  const identity = await load({ bootstrap: bundleOf(old) });
  t.ok(identity.hasTrust);
  const svid = await authority.issue(PATH);
  await identity.adopt({ ...svid, canReattest: false }, bundleOf(authority));
  const anchors = identity.anchorsOf(authority.trustDomain);
  t.strictSame(
    anchors?.map(({ serialHex }) => serialHex),
    [authority.root.serialHex],
  );
});

t.test("an erased identity leaves nothing behind", async (t) => {
  const { file, authority, load } = await frame(t);
  const identity = await load();
  await identity.adopt(
    { ...(await authority.issue(PATH)), canReattest: false },
    bundleOf(authority),
  );
  await identity.erase();
  t.equal(await file.read(), undefined);
  t.equal(identity.svid(), undefined);
});

t.test("a bootstrap bundle is read as PEM or as a SPIFFE document", async (t) => {
  const { folder, authority } = await frame(t);
  const { trustDomain, root } = authority;
  const path = join(folder, "bundle");
  writeFileSync(path, formatPem("CERTIFICATE", root.der));
  t.equal((await readBootstrapBundle(path, trustDomain)).x509Authorities.length, 1);
  writeFileSync(path, formatBundle(bundleOf(authority)));
  t.equal((await readBootstrapBundle(path, trustDomain)).x509Authorities.length, 1);
  for (const [what, text] of Object.entries({
    nothing: "",
    "no certificate": "hello",
    "an empty bundle": '{"keys":[]}',
    "half a certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  })) {
    writeFileSync(path, text);
    const error = await readBootstrapBundle(path, trustDomain).catch((e: unknown) => e);
    t.match(error, { reason: "BOOTSTRAP_BUNDLE_INVALID" }, what);
  }
  const missing = await readBootstrapBundle(join(folder, "none"), trustDomain).catch((e) => e);
  t.match(missing, { reason: "BOOTSTRAP_BUNDLE_INVALID", hint: /bundle show/ });
});
