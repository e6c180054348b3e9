import t from "tap";
import { type Certificate, KeyUsage, parseCertificate } from "../../../pki/x509/certificate.ts";
import { derObjectIdentifier, derSequence } from "../../../pki/x509/der-writer.ts";
import { MAX_CHAIN_CERTIFICATES, MAX_PATH_LENGTH, validatePath } from "../../../pki/x509/path.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";

const now = new Date("2026-06-01T12:00:00Z");
const root = LaxAuthority.create();
const certificates = (chain: readonly Uint8Array[]) => chain.map(parseCertificate);
const validate = (
  chain: readonly Uint8Array[],
  anchors: readonly Certificate[] = [root.certificate],
  at = now,
) => validatePath(certificates(chain), anchors, at);

/** A chain of authorities below the root, the lowest returned. */
function below(depth: number, top = root): LaxAuthority {
  let authority = top;
  for (let i = 0; i < depth; i += 1) authority = authority.intermediate();
  return authority;
}

t.test("accepts chains of every length up to the limit, in any order", async (t) => {
  for (let depth = 0; depth <= MAX_PATH_LENGTH - 2; depth += 1) {
    const { chain } = below(depth).issue("/db");
    t.doesNotThrow(() => validate(chain), `${depth} intermediates`);
    const [leaf, ...rest] = chain;
    if (leaf) t.doesNotThrow(() => validate([leaf, ...rest.reverse()]));
  }
  const { chain } = below(MAX_PATH_LENGTH - 1).issue("/db");
  t.throws(() => validate(chain), { reason: "SVID_CHAIN_TOO_LONG", code: 3 });
});

t.test("accepts every kind of authority key", async (t) => {
  for (const keyKind of ["ec-p256", "ec-p384", "ec-p521", "rsa-2048", "ed25519"] as const) {
    const authority = LaxAuthority.create({ keyKind });
    const { chain } = authority.intermediate({ keyKind }).issue("/db", { keyKind });
    t.doesNotThrow(() => validate(chain, [authority.certificate]), keyKind);
  }
});

t.test("skips superfluous certificates, the root among them", async (t) => {
  const [leaf = new Uint8Array(), ...rest] = below(1).issue("/db").chain;
  const stranger = LaxAuthority.create().certificate.der;
  t.doesNotThrow(() => validate([leaf, stranger, root.certificate.der, ...rest]));
});

t.test("refuses nothing at all, and too much", async (t) => {
  t.throws(() => validatePath([], [root.certificate], now), {
    reason: "SVID_CHAIN_EMPTY",
    code: 3,
  });
  const { leaf } = root.issue("/db");
  const many = Array.from({ length: MAX_CHAIN_CERTIFICATES + 1 }, () => leaf);
  t.throws(() => validatePath(many, [], now), { reason: "SVID_CHAIN_TOO_LONG", code: 3 });
});

t.test("refuses a leaf that no anchor stands behind", async (t) => {
  const untrusted = { reason: "SVID_UNTRUSTED", code: 3 };
  const middle = below(1);
  const { chain } = middle.issue("/db");
  const [leaf = new Uint8Array()] = chain;
  const forged = root.issue("/db", { signWith: LaxAuthority.create().keyPair.privateKey });
  const namesake = LaxAuthority.create({ subject: root.name, withoutKeyIds: true });
  const weak = LaxAuthority.create({ keyKind: "rsa-1024" });
  const rows: [string, readonly Uint8Array[], readonly Certificate[]][] = [
    ["no anchors", chain, []],
    ["other anchors", chain, [LaxAuthority.create().certificate]],
    ["a missing intermediate", [leaf], [root.certificate]],
    ["a forged signature", forged.chain, [root.certificate]],
    [
      "an anchor of the same name with another key",
      root.issue("/db").chain,
      [namesake.certificate],
    ],
    ["another issuer name", root.issue("/db", { issuerName: {} }).chain, [root.certificate]],
    ["an authority with a weak key", weak.issue("/db").chain, [weak.certificate]],
    ["the leaf itself as anchor", [leaf], certificates([leaf])],
  ];
  for (const [name, found, anchors] of rows) {
    t.throws(() => validate(found, anchors), untrusted, name);
  }
});

t.test("finds the right one among anchors of the same name", async (t) => {
  const twins = Array.from({ length: 3 }, () =>
    LaxAuthority.create({ subject: { commonName: "twin" }, withoutKeyIds: true }),
  );
  for (const twin of twins) {
    const { chain } = twin.issue("/db", { withoutKeyIds: true });
    t.doesNotThrow(() =>
      validate(
        chain,
        twins.map((each) => each.certificate),
      ),
    );
  }
});

t.test("finds its way through cross-signed certificates, loops included", async (t) => {
  const other = LaxAuthority.create();
  const middle = below(1);
  const [leaf = new Uint8Array()] = middle.issue("/db").chain;
  const crossed = other.crossSign(middle).der;
  t.doesNotThrow(() => validate([leaf, crossed], [other.certificate]));
  t.doesNotThrow(() => validate([leaf, ...middle.chain, crossed], [other.certificate]));
  const expired = other.crossSign(middle, { notAfter: new Date("2026-01-01T00:00:00Z") }).der;
  t.doesNotThrow(() => validate([leaf, expired, ...middle.chain]), "the valid path is taken");
  t.throws(() => validate([leaf, expired], [other.certificate]), {
    reason: "SVID_EXPIRED",
    code: 3,
  });
  const loop = [other.crossSign(root).der, root.crossSign(other).der];
  const third = LaxAuthority.create();
  t.throws(() => validate([leaf, ...middle.chain, ...loop], [third.certificate]), {
    reason: "SVID_UNTRUSTED",
    code: 3,
  });
});

t.test("stops a peer that makes it walk an exploding graph", async (t) => {
  const options = { withoutKeyIds: true, subject: { commonName: "everyone" } };
  const maze = Array.from({ length: 4 }, () => LaxAuthority.create(options));
  const crossed = maze.flatMap((upper) =>
    maze.filter((lower) => lower !== upper).map((lower) => upper.crossSign(lower, options).der),
  );
  const chain = [...(maze[0]?.issue("/db", options).chain ?? []), ...crossed];
  t.equal(chain.length, 13);
  t.throws(() => validate(chain), {
    reason: "SVID_CHAIN_TOO_LONG",
    code: 3,
    message: /too many signature checks/,
  });
});

t.test("holds the leaf and every authority to its time", async (t) => {
  const notBefore = new Date("2026-06-01T11:00:00Z");
  const notAfter = new Date("2026-06-01T13:00:00Z");
  const at = (time: string) => new Date(`2026-06-01T${time}Z`);
  const times = { notBefore, notAfter };
  const limitedRoot = LaxAuthority.create(times);
  const rows: [string, readonly Uint8Array[], LaxAuthority][] = [
    ["leaf", root.issue("/db", times).chain, root],
    ["intermediate", root.intermediate(times).issue("/db").chain, root],
    ["anchor", limitedRoot.issue("/db").chain, limitedRoot],
  ];
  for (const [name, chain, { certificate }] of rows) {
    const anchors = [certificate];
    t.doesNotThrow(() => validate(chain, anchors, at("11:00:00.000")), `${name}: first moment`);
    t.doesNotThrow(() => validate(chain, anchors, at("13:00:00.999")), `${name}: last moment`);
    const early = { reason: "SVID_NOT_YET_VALID", code: 3 };
    t.throws(() => validate(chain, anchors, at("10:59:59.999")), early, name);
    const late = { reason: "SVID_EXPIRED", code: 3 };
    t.throws(() => validate(chain, anchors, at("13:00:01.000")), late, name);
  }
});

t.test("lets only authorities sign", async (t) => {
  const notCa = { reason: "SVID_INTERMEDIATE_NOT_CA", code: 3 };
  const rows: [string, object][] = [
    ["cA false", { isCa: false }],
    ["no basic constraints", { isCa: null }],
    ["no keyCertSign", { keyUsage: KeyUsage.cRLSign }],
  ];
  for (const [name, options] of rows) {
    const intermediate = root.intermediate(options);
    t.throws(() => validate(intermediate.issue("/db").chain), notCa, `intermediate: ${name}`);
    const anchor = LaxAuthority.create(options);
    const { chain } = anchor.issue("/db");
    t.throws(() => validate(chain, [anchor.certificate]), notCa, `anchor: ${name}`);
  }
  const leafAsAuthority = root.intermediate({ isCa: false, keyUsage: KeyUsage.digitalSignature });
  t.throws(() => validate(leafAsAuthority.issue("/admin").chain), notCa, "a workload's own key");
});

t.test("lets an anchor without key usage sign, and no intermediate", async (t) => {
  const silent = LaxAuthority.create({ keyUsage: null });
  t.doesNotThrow(() => validate(silent.issue("/db").chain, [silent.certificate]));
  const { chain } = root.intermediate({ keyUsage: null }).issue("/db");
  t.throws(() => validate(chain), { reason: "SVID_INTERMEDIATE_NOT_CA", code: 3 });
});

t.test("counts intermediates against path length limits", async (t) => {
  const tooLong = { reason: "SVID_PATH_LENGTH", code: 3 };
  const limited = LaxAuthority.create({ pathLen: 0 });
  t.doesNotThrow(() => validate(limited.issue("/db").chain, [limited.certificate]));
  const { chain } = limited.intermediate().issue("/db");
  t.throws(() => validate(chain, [limited.certificate]), tooLong);
  const middle = root.intermediate({ pathLen: 1 });
  t.doesNotThrow(() => validate(middle.intermediate().issue("/db").chain));
  t.throws(() => validate(below(2, middle).issue("/db").chain), tooLong);
  const rollover = limited.intermediate({ subject: limited.name });
  t.doesNotThrow(() => validate(rollover.issue("/db").chain, [limited.certificate]), "self-issued");
});

t.test("refuses critical extensions that it does not process, wherever they are", async (t) => {
  const critical = { reason: "SVID_CRITICAL_EXTENSION", code: 3 };
  const unknown = { oid: "1.3.6.1.4.1.65980.1", critical: true, value: Uint8Array.of(5, 0) };
  const constraints = { oid: "2.5.29.30", critical: true, value: derSequence() };
  for (const extension of [unknown, constraints]) {
    const options = { extra: [extension] };
    t.throws(() => validate(root.issue("/db", options).chain), critical, "leaf");
    t.throws(() => validate(root.intermediate(options).issue("/db").chain), critical);
    const anchor = LaxAuthority.create(options);
    t.throws(() => validate(anchor.issue("/db").chain, [anchor.certificate]), critical);
    const harmless = { extra: [{ ...extension, critical: false }] };
    t.doesNotThrow(() => validate(root.intermediate(harmless).issue("/db", harmless).chain));
  }
  const anyPolicy = derSequence(derSequence(derObjectIdentifier("2.5.29.32.0")));
  const policies = { extra: [{ oid: "2.5.29.32", critical: true, value: anyPolicy }] };
  t.doesNotThrow(() => validate(root.issue("/db", policies).chain), "certificate policies");
});
