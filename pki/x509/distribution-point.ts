// Where revocation lists are, and what part of an authority's certificates one speaks of (RFC 5280
// s4.2.1.13 and s5.2.5): a certificate names the addresses of its list, and a list of one such point names
// itself the same way. Writing both: extensions-writer.ts.
import type { Certificate } from "./certificate.ts";
import { contextTag, type DerFailure, DerReader, Tag } from "./der.ts";
import { ExtensionOid } from "./oid.ts";

const POINT_NAME = contextTag(0, true);
const FULL_NAME = contextTag(0, true);
const URI_NAME = contextTag(6, false);
const REASONS = contextTag(1, false);
const CRL_ISSUER = contextTag(2, true);

const known = new WeakMap<Certificate, readonly string[]>();

/** The addresses at which a certificate says that its list is; none when it does not, or not in a form known here. */
export function crlPointsOf(certificate: Certificate): readonly string[] {
  let points = known.get(certificate);
  if (points === undefined) {
    points = readPoints(certificate);
    known.set(certificate, points);
  }
  return points;
}

function readPoints({ extensions }: Certificate): readonly string[] {
  const extension = extensions.get(ExtensionOid.crlDistributionPoints);
  if (extension === undefined) return [];
  const failure: DerFailure = (problem) => {
    throw new RangeError(problem);
  };
  try {
    const reader = new DerReader(extension.value, failure);
    const list = reader.enter(Tag.sequence);
    reader.finish();
    const uris: string[] = [];
    while (!list.isAtEnd) {
      const point = list.enter(Tag.sequence);
      const names = point.isNext(POINT_NAME) ? readNames(point) : [];
      // Lists of some reasons, or of another issuer, are none that are read here.
      if (point.isNext(REASONS) || point.isNext(CRL_ISSUER)) return [];
      point.finish();
      uris.push(...names);
    }
    return uris;
  } catch {
    // Not critical, and only the narrower list is found by it.
    return [];
  }
}

/**
 * Reads an issuingDistributionPoint: the addresses of the one point that a list is of. Lists of some
 * reasons, of authorities or attributes alone, and those that speak for other issuers are refused.
 */
export function readIssuingPoint(reader: DerReader): readonly string[] {
  const fields = reader.enter(Tag.sequence);
  const names = fields.isNext(POINT_NAME) ? readNames(fields) : [];
  if (names.length === 0) throw reader.invalid("it is of a part that has no address");
  if (!fields.isAtEnd)
    throw reader.invalid("it is of a part that is not told by its address alone");
  return names;
}

function readNames(fields: DerReader): readonly string[] {
  const name = fields.enter(POINT_NAME);
  const full = name.enter(FULL_NAME);
  name.finish();
  const uris: string[] = [];
  while (!full.isAtEnd) {
    if (full.isNext(URI_NAME)) uris.push(full.ascii(URI_NAME));
    else full.element();
  }
  return uris;
}
