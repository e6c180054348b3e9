// What authorities ask of certificates below them: name constraints and policies, with the names and
// policies of a leaf. Signed by whoever an anchor trusts, read once a path has reached that anchor.
import { IdentityError } from "../../../pki/errors.ts";
import type { Certificate } from "../../../pki/x509/certificate.ts";
import { derSequence } from "../../../pki/x509/der-writer.ts";
import { nameProblem } from "../../../pki/x509/name-constraints.ts";
import { ExtensionOid } from "../../../pki/x509/oid.ts";
import { policyProblem } from "../../../pki/x509/policies.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import { constraints, directory, dns, email, ip, name, uri } from "../../support/test-names.ts";
import { type FuzzTarget, holds, parsedOrRefused } from "../target.ts";

const root = LaxAuthority.create();
const middle = root.intermediate();
const { leaf } = middle.issue("/db");
/** Which extension the authority has, and which the leaf, by the first byte. */
const PAIRS = [
  [ExtensionOid.nameConstraints, ExtensionOid.subjectAltName],
  [ExtensionOid.certificatePolicies, ExtensionOid.certificatePolicies],
  [ExtensionOid.policyMappings, ExtensionOid.certificatePolicies],
  [ExtensionOid.policyConstraints, ExtensionOid.inhibitAnyPolicy],
] as const;

/** One byte for the pair, two for the length of the authority's extension, both extensions. */
function input(pair: number, above: Uint8Array, below: Uint8Array): Uint8Array {
  const head = Uint8Array.of(pair, above.length >> 8, above.length & 0xff);
  return Buffer.concat([head, above, below]);
}

function withExtension(certificate: Certificate, oid: string, value: Uint8Array): Certificate {
  const extensions = new Map(certificate.extensions).set(oid, { critical: true, value });
  return { ...certificate, hasEmptySubject: false, serialHex: "01", extensions };
}

export const path: FuzzTarget = {
  name: "path",
  reads: "what authorities in a chain ask of those below them",
  maxBytes: 4096,
  seeds() {
    const organization = directory(name(["2.5.4.10", 0x0c, "North"]));
    const names = [uri("a.test"), dns("a.test"), email("a@a.test"), ip("c0000201"), organization];
    const altNames = derSequence(...names);
    const limits = constraints({ permitted: names, excluded: [ip("c0000200ffffff00")] }).value;
    const policies = Buffer.from("3008300606042a030405", "hex");
    const mappings = Buffer.from("300e300c06042a03040506042a030406", "hex");
    const limit = Buffer.from("3006800100810100", "hex");
    return [
      input(0, limits, altNames),
      input(0, limits, leaf.extensions.get(ExtensionOid.subjectAltName)?.value ?? altNames),
      input(1, policies, policies),
      input(2, mappings, policies),
      input(3, limit, Buffer.from("020100", "hex")),
    ];
  },
  run(data) {
    const [oidAbove, oidBelow] = PAIRS[(data[0] ?? 0) % PAIRS.length] ?? PAIRS[0];
    const cut = 3 + (data[1] ?? 0) * 256 + (data[2] ?? 0);
    const below = withExtension(leaf, oidBelow, data.subarray(cut));
    const above = withExtension(middle.certificate, oidAbove, data.subarray(3, cut));
    for (const check of [nameProblem, policyProblem]) {
      const problem = parsedOrRefused(() => check([below, above, root.certificate]));
      holds(problem === undefined || problem instanceof IdentityError, "no answer");
    }
  },
};
