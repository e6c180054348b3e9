import t from "tap";
import { Status } from "../../pki/errors.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";

const notId = { reason: "SPIFFE_ID_INVALID", code: Status.invalidArgument };
const notTrustDomain = { reason: "TRUST_DOMAIN_INVALID", code: Status.invalidArgument };

const accepts = (text: string): boolean => {
  try {
    SpiffeId.parse(text);
    return true;
  } catch {
    return false;
  }
};

t.test("keeps an ID as written and splits it into trust domain and path", async (t) => {
  const id = SpiffeId.parse("spiffe://north.test/ns/db");
  t.equal(id.toString(), "spiffe://north.test/ns/db");
  t.equal(id.trustDomain.name, "north.test");
  t.equal(id.trustDomain.id, "spiffe://north.test");
  t.equal(id.path, "/ns/db");
  t.equal(JSON.stringify({ id }), '{"id":"spiffe://north.test/ns/db"}');
  t.equal(SpiffeId.parse("spiffe://q").path, "");
});

t.test("accepts exactly 39 characters in a trust domain, of all code points to 255", async (t) => {
  let accepted = "";
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    if (character !== "/" && accepts(`spiffe://q${character}/x`)) accepted += character;
  }
  t.equal(accepted, "-.0123456789_abcdefghijklmnopqrstuvwxyz");
});

t.test("accepts exactly 65 characters in a segment, of all code points to 255", async (t) => {
  let accepted = "";
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    if (character !== "/" && accepts(`spiffe://q/x${character}y`)) accepted += character;
  }
  t.equal(accepted, "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
});

t.test("names that no ID may contain are refused wherever they stand", async (t) => {
  for (const text of [
    ...["", "s", "spiffe", "spiffe:", "spiffe:/", "spiffe:/q", "spiffe:q", "spiffe://"],
    ...["Spiffe://q", "SPIFFE://q", " spiffe://q", "\tspiffe://q", "\ufeffspiffe://q"],
    ...["spiffe:///", "spiffe:///q", "spiffe://q/", "spiffe://q//", "spiffe://q//x"],
    ...["spiffe://q/x/", "spiffe://q/x//y", "spiffe://q/.", "spiffe://q/..", "spiffe://q/./x"],
    ...["spiffe://q/x/./y", "spiffe://q/x/../y", "spiffe://q/x/..", "spiffe://q/x/."],
    ...["spiffe://q\u0101/x", "spiffe://q/\u{1f511}", "spiffe://q/\ud800", "spiffe://q/%2e%2e"],
    ...["spiffe://q/%00", "spiffe://%71/x", "spiffe://q\n/x", "spiffe://q/x\n"],
  ]) {
    t.throws(() => SpiffeId.parse(text), notId, JSON.stringify(text));
  }
  for (const text of ["/.x", "/..x", "/x.", "/...", "/x/...", "/.../x", "/x../y"]) {
    t.equal(SpiffeId.parse(`spiffe://q${text}`).path, text);
  }
});

t.test("refuses what is not a string, from callers without types", async (t) => {
  for (const value of [undefined, null, 7, {}, ["spiffe://q/x"]]) {
    t.throws(() => SpiffeId.parse(value as unknown as string), notId);
    t.throws(() => TrustDomain.parse(value as unknown as string), notTrustDomain);
  }
});

t.test(
  "an error quotes outside text so that it cannot forge a log line, and cuts it",
  async (t) => {
    t.throws(() => SpiffeId.parse("x\nlevel=error"), { message: /^"x\\nlevel=error" is not/ });
    try {
      SpiffeId.parse("x".repeat(1e6));
    } catch (error) {
      t.ok((error as Error).message.length < 300);
    }
  },
);

t.test("takes a trust domain from a name or from an ID", async (t) => {
  for (const text of ["q.test", "spiffe://q.test", "spiffe://q.test/x"]) {
    t.equal(TrustDomain.parse(text).name, "q.test");
  }
  for (const text of ["", "Q.test", "spiffe:/q.test/x", "spiffe://q.test/", "q.test/x", "q:1"]) {
    t.throws(() => TrustDomain.parse(text), notTrustDomain, text);
  }
  t.equal(`${TrustDomain.parse("q.test")}`, "q.test");
  t.equal(JSON.stringify(TrustDomain.parse("q.test")), '"q.test"');
});

t.test("builds an ID from a path or from segments", async (t) => {
  const trustDomain = TrustDomain.parse("q");
  t.equal(SpiffeId.of(trustDomain, "").toString(), "spiffe://q");
  t.equal(SpiffeId.of(trustDomain, "/x").toString(), "spiffe://q/x");
  for (const path of ["x", "/", "/x/"]) t.throws(() => SpiffeId.of(trustDomain, path), notId);
  t.equal(SpiffeId.fromSegments(trustDomain, []).toString(), "spiffe://q");
  t.equal(SpiffeId.fromSegments(trustDomain, ["x", "y"]).toString(), "spiffe://q/x/y");
  for (const segment of ["", ".", "..", "/x", "x/y", "$"]) {
    t.throws(() => SpiffeId.fromSegments(trustDomain, [segment]), notId, segment);
  }
  t.throws(
    () => SpiffeId.of(trustDomain, `/${"x".repeat(2048)}`),
    notId,
    "length is checked again",
  );
});

t.test("limits a trust domain to 255 bytes and an ID to 2048", async (t) => {
  t.ok(accepts(`spiffe://${"a".repeat(255)}/x`));
  t.notOk(accepts(`spiffe://${"a".repeat(256)}/x`));
  t.throws(() => TrustDomain.parse("a".repeat(256)), notTrustDomain);
  const id = `spiffe://q/${"x".repeat(2048 - 11)}`;
  t.equal(id.length, 2048);
  t.ok(accepts(id));
  t.notOk(accepts(`${id}x`));
});

t.test("compares whole IDs and whole trust domains, never prefixes", async (t) => {
  const id = SpiffeId.parse("spiffe://q.test/x");
  t.ok(id.equals(SpiffeId.parse("spiffe://q.test/x")));
  for (const other of ["spiffe://q.test/X", "spiffe://q.test/x/y", "spiffe://q.tes/x"]) {
    t.notOk(id.equals(SpiffeId.parse(other)));
  }
  t.ok(id.isMemberOf(TrustDomain.parse("q.test")));
  t.ok(TrustDomain.parse("q.test").equals(id.trustDomain));
  for (const name of ["xq.test", "a.q.test", "q.tes", "test"]) {
    t.notOk(id.isMemberOf(TrustDomain.parse(name)));
  }
});
