// Revocation lists, good and bad, each special in one thing.

import { issueCrl } from "../../../pki/x509/crl-issue.ts";
import { Tag } from "../../../pki/x509/der.ts";
import { derElement, derSequence } from "../../../pki/x509/der-writer.ts";
import { ExtensionOid } from "../../../pki/x509/oid.ts";
import { newSerial } from "../../../pki/x509/serial.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import type { TestExtension } from "../../support/test-certificate.ts";
import { signTestCrl, type TestCrlOptions } from "../../support/test-crl.ts";
import type { CrlCase } from "./case.ts";

const HOUR_MS = 3_600_000;
const thisUpdate = new Date(Math.floor(Date.now() / 1000) * 1000 - HOUR_MS);
const nextUpdate = new Date(thisUpdate.getTime() + 24 * HOUR_MS);
const unknownOid = "1.3.6.1.4.1.99999.1";

function extension(oid: string, critical: boolean, value: Uint8Array): TestExtension {
  return { oid, critical, value };
}

const reason = (code: number): TestExtension =>
  extension(ExtensionOid.crlReason, false, derElement(Tag.enumerated, Uint8Array.of(code)));

/** A list of an authority that has the leaf in it, unless `entries` say otherwise. */
function list(
  options: TestCrlOptions = {},
  authority: LaxAuthority = LaxAuthority.create(),
  entryExtensions?: readonly TestExtension[],
): Pick<CrlCase, "crl" | "authority" | "leaf"> {
  const { leaf } = authority.issue("/db", { dnsNames: ["db.north.test"] });
  const entry = { serial: leaf, ...(entryExtensions && { extensions: entryExtensions }) };
  const crl = signTestCrl(authority, { thisUpdate, nextUpdate, entries: [entry], ...options });
  return { crl, authority: authority.certificate.der, leaf: leaf.der };
}

/** A list as the product makes it, of many certificates. */
async function made(
  count: number,
  listed: boolean,
): Promise<Pick<CrlCase, "crl" | "authority" | "leaf">> {
  const authority = LaxAuthority.create();
  const { leaf } = authority.issue("/db", { dnsNames: ["db.north.test"] });
  const serials = Array.from({ length: count }, () => Buffer.from(newSerial()).toString("hex"));
  if (listed) serials.push(leaf.serialHex);
  const revoked = serials.map((serial, i) => ({
    serial,
    revokedAt: thisUpdate,
    reason: i % 2 === 0 ? ("key-compromise" as const) : ("unspecified" as const),
  }));
  const request = { issuer: authority.issuer(), number: 12n, thisUpdate, nextUpdate, revoked };
  const crl = await issueCrl(request);
  return { crl, authority: authority.certificate.der, leaf: leaf.der };
}

const otherEntries = { entries: [{ serial: Uint8Array.of(0x11, 0x22) }] };
const madeHere = {
  leaf: await made(100, true),
  none: await made(0, false),
  others: await made(100, false),
};

const GOOD: readonly CrlCase[] = [
  { name: "our list of a hundred, the leaf among them", ...madeHere.leaf },
  { name: "our list of a hundred others", unlisted: true, ...madeHere.others },
  { name: "our empty list", unlisted: true, ...madeHere.none },
  { name: "a list with the leaf", ...list() },
  { name: "a list without the leaf", unlisted: true, ...list(otherEntries) },
  { name: "a reason", ...list({}, undefined, [reason(1)]) },
  {
    name: "an unknown extension of an entry",
    ...list({}, undefined, [extension(unknownOid, false, derSequence())]),
  },
  {
    name: "an unknown extension of the list",
    ...list({ extra: [extension(unknownOid, false, derSequence())] }),
  },
  { name: "a list of an RSA authority", ...list({}, LaxAuthority.create({ keyKind: "rsa-2048" })) },
  { name: "a list of a P-384 authority", ...list({}, LaxAuthority.create({ keyKind: "ec-p384" })) },
  { name: "a number of 19 bytes", ...list({ number: new Uint8Array(19).fill(0x11) }) },
];

const BAD: readonly CrlCase[] = [
  {
    name: "a list signed with another key",
    reason: "unsigned",
    ...list({ signWith: LaxAuthority.create() }),
  },
  { name: "two signature algorithms", reason: "CRL_INVALID", ...twoAlgorithms() },
  {
    name: "a delta list",
    reason: "CRL_INVALID",
    ...list({
      extra: [
        extension(ExtensionOid.deltaCrlIndicator, true, derElement(Tag.integer, Uint8Array.of(1))),
      ],
    }),
  },
  {
    name: "an unknown critical extension of the list",
    reason: "CRL_INVALID",
    ...list({ extra: [extension(unknownOid, true, derSequence())] }),
  },
  {
    name: "an unknown critical extension of an entry",
    reason: "CRL_INVALID",
    ...list({}, undefined, [extension(unknownOid, true, derSequence())]),
  },
  { name: "version 3", reason: "CRL_INVALID", ...list({ version: 3 }) },
  { name: "bytes after the list", reason: "CRL_INVALID", ...trailing() },
  {
    name: "a reason that does not exist",
    reason: "CRL_INVALID",
    ...list({}, undefined, [reason(7)]),
  },
];

function twoAlgorithms(): Pick<CrlCase, "crl" | "authority" | "leaf"> {
  const ed25519 = derSequence(derElement(Tag.objectIdentifier, Uint8Array.of(0x2b, 0x65, 0x70)));
  return list({ innerAlgorithmDer: ed25519 });
}

function trailing(): Pick<CrlCase, "crl" | "authority" | "leaf"> {
  const good = list();
  return { ...good, crl: Uint8Array.of(...good.crl, 0) };
}

export const CRLS: readonly CrlCase[] = [...GOOD, ...BAD];
