// How the bundle is written that a running server publishes at its endpoint: the rows of the bundle and of
// the three kinds of SVID that bind who serves it.
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { BundleService } from "../../proto/schema.gen.ts";
import {
  ask,
  type Document,
  get,
  north,
  ofUse,
  prepareAll,
  problemOf,
  replaceX509,
  startEndpoint as start,
} from "../support/served-bundle.ts";

t.test("BND-01, BND-03, BND-06, BND-07 a JWK Set with a sequence number and a hint", async (t) => {
  const { port } = await start(t, "profile: https_spiffe, refresh_hint: 90s");
  const document = await get(port);
  t.same(Object.keys(document).sort(), ["keys", "spiffe_refresh_hint", "spiffe_sequence"]);
  t.ok(Array.isArray(document.keys));
  t.ok(Number.isInteger(document.spiffe_sequence));
  t.equal(document.spiffe_refresh_hint, 90);
  for (const bad of ["0.5s", "-90s", "90", "0s"]) {
    t.match(problemOf(`profile: https_spiffe, refresh_hint: ${bad}`), /refresh_hint/, bad);
  }
  t.match(problemOf("profile: https_spiffe, refresh_hint: 5h"), /a ninth of ca\.ttl/);
});

t.test("BND-04 the sequence number grows with each change, over restarts too", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "sg-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const first = await start(t, undefined, { dir });
  const begin = await get(first.port);
  t.same(await get(first.port), begin, "it stays while nothing changes");
  await prepareAll(first, ["X509"]);
  const later = await get(first.port);
  t.ok(later.spiffe_sequence > begin.spiffe_sequence);
  await first.server.stop();
  const second = await start(t, undefined, { dir });
  t.ok((await get(second.port)).spiffe_sequence >= later.spiffe_sequence);
  await prepareAll(second, ["JWT"]);
  const last = await get(second.port);
  t.ok(last.spiffe_sequence > later.spiffe_sequence);
  await second.server.stop();
  // Another hint is another content.
  const third = await start(t, "profile: https_spiffe, refresh_hint: 60s", { dir });
  t.ok((await get(third.port)).spiffe_sequence > last.spiffe_sequence);
  await third.server.stop();
});

t.test(
  "BND-13, BND-14, BND-16, X509-34, X509-35, X509-36, X509-37, JWT-27, JWT-28, WIT-35, WIT-36 each key is one entry with what the standards define, and no more",
  async (t) => {
    const endpoint = await start(t, undefined, { config: "feature_flags: [wit-svid]" });
    await prepareAll(endpoint, ["X509", "JWT", "WIT"]);
    const { body } = await ask(endpoint.port);
    const document = JSON.parse(body.toString()) as Document;
    const uses = ["x509-svid", "jwt-svid", "wit-svid"] as const;
    t.same(
      document.keys.map(({ use }) => use),
      uses.flatMap((use) => [use, use]),
    );
    t.ok(document.keys.every(({ kty }) => kty === "EC"));
    const x509 = ofUse(document, "x509-svid");
    for (const key of x509) {
      t.same(
        Object.keys(key).sort(),
        ["crv", "kty", "use", "x", "x5c", "y"],
        "no kid, no alg, no d",
      );
      const [base64 = "", ...more] = key["x5c"] as string[];
      t.same(more, []);
      const certificate = new X509Certificate(Buffer.from(base64, "base64"));
      t.equal(certificate.raw.toString("base64"), base64, "standard base64 of DER");
      t.ok(certificate.verify(certificate.publicKey), "it signed itself");
      t.same(certificate.publicKey.export({ format: "jwk" }), {
        kty: key["kty"],
        crv: key["crv"],
        x: key["x"],
        y: key["y"],
      });
    }
    const tokens = [...ofUse(document, "jwt-svid"), ...ofUse(document, "wit-svid")];
    for (const key of tokens)
      t.same(Object.keys(key).sort(), ["crv", "kid", "kty", "use", "x", "y"]);
    const ids = tokens.map(({ kid }) => kid);
    t.equal(new Set(ids).size, 4, "no kid twice, over both kinds");
    t.notOk(ids.includes(""));
    t.match(parseBundle(north, body), {
      x509Authorities: { length: 2 },
      jwtAuthorities: { length: 2 },
      witAuthorities: { length: 2 },
    });
    // What would break it is refused before it is published.
    const bundles = endpoint.server.admin.client(BundleService);
    const [jwt, wit] = [ids[0], ids[2]] as [string, string];
    const publicKey = Buffer.from(String(x509[0]?.["x5c"]), "base64");
    for (const keyId of ["", jwt, wit]) {
      const append = { jwtAuthorities: [{ keyId, publicKey, expiresAt: 0 }] };
      await t.rejects(
        bundles.appendBundle(append),
        { name: "IdentityError" },
        JSON.stringify(keyId),
      );
    }
    t.same(JSON.parse((await ask(endpoint.port)).body.toString()), document, "nothing changed");
  },
);

t.test("STB-01 without the feature flag there is no key for WIT-SVIDs", async (t) => {
  const document = await get((await start(t)).port);
  t.same(
    document.keys.map(({ use }) => use),
    ["x509-svid", "jwt-svid"],
  );
  t.same(ofUse(document, "wit-svid"), []);
});

t.test("BND-19 a revoked authority is gone, without a trace", async (t) => {
  const endpoint = await start(t);
  const certificateOf = (document: Document) => ofUse(document, "x509-svid").map(({ x5c }) => x5c);
  const before = certificateOf(await get(endpoint.port));
  await replaceX509(endpoint);
  const text = (await ask(endpoint.port)).body.toString();
  const after = certificateOf(JSON.parse(text));
  t.equal(after.length, 1);
  t.notSame(after, before);
  t.notMatch(text, /taint|revoke/);
});
