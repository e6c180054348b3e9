import t from "tap";
import { type Bundle, emptyBundle, equalBundles } from "../../../pki/bundle/bundle.ts";
import { formatBundle } from "../../../pki/bundle/format.ts";
import { formatBundleMap, MAX_BUNDLE_MAP_BYTES, parseBundleMap } from "../../../pki/bundle/map.ts";
import { Status } from "../../../pki/errors.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { TestAuthority } from "../../support/test-authority.ts";

const invalid = { reason: "BUNDLE_INVALID", code: Status.invalidArgument };
const key = () => ({ spki: generateP256KeyPair().spki, expiresAt: undefined, tainted: false });

async function bundleOf(name: string, change: Partial<Bundle> = {}): Promise<Bundle> {
  const { root } = await TestAuthority.create(name);
  return {
    ...emptyBundle(TrustDomain.parse(name)),
    x509Authorities: [{ der: root.der, tainted: false }],
    jwtAuthorities: [{ keyId: "j", ...key() }],
    witAuthorities: [{ keyId: "w", ...key() }],
    ...change,
  };
}
const north = await bundleOf("north.test", { sequence: 18446744073709551615n });
const south = await bundleOf("south.test", { sequence: 9007199254740993n, refreshHintSeconds: 60 });
const northJson = formatBundle(north);

t.test("a map survives being written and read, to the last digit", async (t) => {
  const text = formatBundleMap([south, north]);
  t.equal(formatBundleMap([north, south]), text, "in whichever order they came");
  for (const document of [text, Buffer.from(text)]) {
    const read = parseBundleMap(document);
    t.strictSame([...read.keys()], ["north.test", "south.test"]);
    t.ok(equalBundles(read.get("north.test") ?? south, north));
    t.equal(read.get("north.test")?.sequence, 18446744073709551615n);
    t.equal(read.get("south.test")?.sequence, 9007199254740993n);
    t.equal(read.get("south.test")?.refreshHintSeconds, 0, "hints are not written");
  }
  t.equal(formatBundleMap([]), '{"trust_domains":{}}');
  t.equal(parseBundleMap(formatBundleMap([])).size, 0);
});

t.test("a name is written once", async (t) => {
  t.throws(() => formatBundleMap([north, south, north]), {
    ...invalid,
    message: /two bundles of "north.test"/,
  });
});

t.test("a name that objects have by themselves is a name like others", async (t) => {
  const names = ["__proto__", "constructor", "tostring", "1"].sort();
  const bundles = await Promise.all(names.map((name) => bundleOf(name)));
  const read = parseBundleMap(formatBundleMap(bundles));
  t.strictSame([...read.keys()].sort(), names);
  for (const bundle of bundles) {
    t.ok(equalBundles(read.get(bundle.trustDomain.name) ?? north, bundle), bundle.trustDomain.name);
  }
  t.equal(parseBundleMap('{"trust_domains":{}}').get("__proto__"), undefined);
});

t.test("documents that are no map are refused whole", async (t) => {
  const rows: readonly (readonly [name: string, text: string])[] = [
    ["nothing", ""],
    ["a list", "[]"],
    ["null", "null"],
    ["no trust_domains", "{}"],
    ["a bundle", northJson],
    ["trust_domains is a list", '{"trust_domains":[]}'],
    ["trust_domains is null", '{"trust_domains":null}'],
    ["trust_domains twice", '{"trust_domains":{},"trust_domains":{}}'],
    ["trust_domains twice, once escaped", '{"trust_domains":{},"trust\\u005fdomains":{}}'],
    ["a name twice", `{"trust_domains":{"a":${northJson},"a":${northJson}}}`],
    ["a name twice, once escaped", `{"trust_domains":{"ab":{"keys":[]},"\\u0061b":{"keys":[]}}}`],
    ["a name in upper case", '{"trust_domains":{"North.test":{"keys":[]}}}'],
    ["a SPIFFE ID", '{"trust_domains":{"spiffe://north.test":{"keys":[]}}}'],
    ["a SPIFFE ID with a path", '{"trust_domains":{"spiffe://north.test/db":{"keys":[]}}}'],
    ["an empty name", '{"trust_domains":{"":{"keys":[]}}}'],
    ["a name beyond 255 bytes", `{"trust_domains":{"${"a".repeat(256)}":{"keys":[]}}}`],
    ["a bundle that is null", '{"trust_domains":{"a":null}}'],
    ["a bundle that is a list", '{"trust_domains":{"a":[]}}'],
    ["a bundle that is text", `{"trust_domains":{"a":${JSON.stringify(northJson)}}}`],
    ["a bundle without keys", '{"trust_domains":{"a":{}}}'],
    ["a good bundle and a bad one", `{"trust_domains":{"a":${northJson},"b":{"keys":{}}}}`],
    ["a sequence that is no integer", '{"trust_domains":{"a":{"keys":[],"spiffe_sequence":1.5}}}'],
    [
      "a sequence that was rounded",
      '{"trust_domains":{"a":{"keys":[],"spiffe_sequence":9007199254740993.0}}}',
    ],
    ["a member of a bundle twice", '{"trust_domains":{"a":{"keys":[],"keys":[]}}}'],
    ["text after it", '{"trust_domains":{}}{}'],
    ["too many bytes", `{"trust_domains":{}${" ".repeat(MAX_BUNDLE_MAP_BYTES)}}`],
    [
      "too many trust domains",
      `{"trust_domains":{${Array.from({ length: 10_001 }, (_, i) => `"${i}":{"keys":[]}`).join()}}}`,
    ],
  ];
  for (const [name, text] of rows) t.throws(() => parseBundleMap(text), invalid, name);
  const notUtf8 = Buffer.concat([Buffer.from('{"trust_domains":{"'), Buffer.of(0xff)]);
  t.throws(() => parseBundleMap(notUtf8), invalid);
});

t.test("a refusal names the trust domain", async (t) => {
  t.throws(() => parseBundleMap('{"trust_domains":{"a":{"keys":[]},"b":{}}}'), {
    message: /"b" cannot be used.*"keys" is not an array/,
  });
});

t.test("unknown members and unusable keys are skipped, and told of by name", async (t) => {
  const skipped: string[] = [];
  const { keys } = JSON.parse(northJson.replace(/,"spiffe_sequence":\d+/, ""));
  const bundle = { keys: [{ kty: "AKP", use: "x" }, ...keys], "x.test/more": { a: [1] } };
  const text = JSON.stringify({
    "x.test/version": 7,
    trust_domains: { "north.test": bundle, "empty.test": { keys: [{ kty: "oct" }] } },
  });
  const read = parseBundleMap(text, (reason) => skipped.push(reason));
  t.equal(read.get("north.test")?.jwtAuthorities.length, 1);
  t.strictSame(read.get("empty.test")?.x509Authorities, []);
  t.equal(skipped.length, 2);
  t.match(skipped[0], /"north.test": key 0 .* use is unknown/);
  t.match(skipped[1], /"empty.test"/);
});

t.test("hints inside say nothing, right or wrong, under either name", async (t) => {
  for (const hint of ["1", "0", "-5", '"soon"', "1.5", "null"]) {
    const text = `{"trust_domains":{"a":{"keys":[],"spiffe_refresh_hint":${hint},"refresh_hint":${hint}}}}`;
    t.equal(parseBundleMap(text).get("a")?.refreshHintSeconds, 0, hint);
  }
});
