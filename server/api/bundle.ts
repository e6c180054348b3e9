// The service spire.api.server.bundle.v1.Bundle: the own bundle, which anyone may read, and the bundles of
// federated trust domains, which administrators keep. Where they lie: store/bundles.ts. How the own
// one changes by rotation: ca/authority.ts.

import { addJwt, addWit, addX509 } from "../../pki/bundle/authorities.ts";
import { type Bundle, checkKeyIds } from "../../pki/bundle/bundle.ts";
import { IdentityError } from "../../pki/errors.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import type { Init } from "../../proto/codec.ts";
import type { Handlers } from "../../proto/rpc/service.ts";
import {
  type BundleService,
  BatchDeleteFederatedBundleRequestMode as Mode,
  type spire,
} from "../../proto/schema.gen.ts";
import {
  bundleFromWire,
  bundleToWire,
  jwtAuthorityFromWire,
  MAX_AUTHORITIES,
  witAuthorityFromWire,
  x509AuthorityFromWire,
} from "../../proto/types/bundle.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { isMeant } from "../../proto/types/mask.ts";
import { witNotIssued } from "../ca/refusals.ts";
import { serverError } from "../errors.ts";
import { bundleNotFound, type FederatedEntries, removeBundle } from "../store/bundle-removal.ts";
import type { BundleStore } from "../store/bundles.ts";

/** Most bundles one call may change. */
const MAX_BATCH = 500;
/** A page of bundles ends with the one that passes this many bytes of certificates and keys. */
const PAGE_BYTES = 1024 * 1024;

const OK = { code: 0, message: "OK" };

type Wire = spire.api.types.Bundle;
type Mask = Init<spire.api.types.BundleMask> | undefined;

export interface BundleServiceOptions {
  readonly trustDomain: TrustDomain;
  readonly bundles: BundleStore;
  /** Whether WIT authorities may be appended to the own bundle: they stand behind a feature flag. */
  readonly takesWit?: boolean;
  /** The registration entries: store/entries.ts. */
  readonly entries: {
    values(): Iterable<RegistrationEntry>;
    reached(revision: number): Promise<void>;
  };
}

/** The handlers of the Bundle service. */
export function bundleHandlers(options: BundleServiceOptions): Handlers<typeof BundleService> {
  const { bundles, trustDomain: own } = options;
  const federated = (): readonly Bundle[] =>
    bundles.list().filter(({ trustDomain }) => !trustDomain.equals(own));
  return {
    async getBundle({ outputMask }) {
      return bundleToWire(find(bundles, own), outputMask);
    },

    async appendBundle({ x509Authorities, jwtAuthorities, witAuthorities, outputMask }) {
      if (witAuthorities.length > 0 && options.takesWit !== true) throw witNotIssued();
      const keyCount = jwtAuthorities.length + witAuthorities.length;
      if (x509Authorities.length + keyCount === 0) throw invalid("nothing to append");
      const certificates = x509Authorities.map((wire) =>
        authorityOf(x509AuthorityFromWire(wire).der),
      );
      const jwtKeys = jwtAuthorities.map(jwtAuthorityFromWire);
      const witKeys = witAuthorities.map(witAuthorityFromWire);
      const appended = await bundles.change(async (transaction) => {
        const before = await transaction.get(own);
        if (before === undefined) throw bundleNotFound(own);
        const withX509 = certificates.reduce(addX509, before);
        const after = witKeys.reduce(addWit, jwtKeys.reduce(addJwt, withX509));
        checkSize(after);
        if (after !== before) transaction.put(after);
        return after;
      });
      return bundleToWire(appended, outputMask);
    },

    async countBundles() {
      return { count: bundles.list().length };
    },

    async getFederatedBundle({ trustDomain, outputMask }) {
      return bundleToWire(find(bundles, foreign(trustDomain, own)), outputMask);
    },

    async listFederatedBundles({ outputMask, pageSize, pageToken }) {
      const rest = federated().filter(({ trustDomain }) => trustDomain.name > pageToken);
      const page = rest.slice(0, pageLength(rest, pageSize));
      const last = page.length < rest.length ? page.at(-1)?.trustDomain.name : undefined;
      return {
        bundles: page.map((bundle) => bundleToWire(bundle, outputMask)),
        nextPageToken: last ?? "",
      };
    },

    async batchCreateFederatedBundle({ bundle, outputMask }) {
      return batchOf(bundle, outputMask, async (wire) => {
        const created = foreignBundle(wire, own);
        await bundles.change(async (transaction) => {
          if (await transaction.get(created.trustDomain)) throw exists(created.trustDomain);
          transaction.put(created);
        });
        return created;
      });
    },

    async batchUpdateFederatedBundle({ bundle, inputMask, outputMask }) {
      return batchOf(bundle, outputMask, (wire) => {
        const change = foreignBundle(wire, own);
        return bundles.change(async (transaction) => {
          const before = await transaction.get(change.trustDomain);
          if (before === undefined) throw bundleNotFound(change.trustDomain);
          const after = merged(before, change, inputMask);
          transaction.put(after);
          return after;
        });
      });
    },

    async batchSetFederatedBundle({ bundle, outputMask }) {
      return batchOf(bundle, outputMask, async (wire) => {
        const set = foreignBundle(wire, own);
        await bundles.change(async (transaction) => transaction.put(set));
        return set;
      });
    },

    async batchDeleteFederatedBundle({ trustDomains, mode }) {
      checkBatch(trustDomains.length);
      const results = [];
      for (const name of trustDomains) {
        const status = await settle(async () => {
          const trustDomain = foreign(name, own);
          const entryIds = federatedEntries(options.entries.values(), trustDomain);
          const fate = fateOf(mode);
          await bundles.change((transaction) =>
            removeBundle(transaction, trustDomain, fate, entryIds),
          );
          await options.entries.reached(bundles.revision);
          return OK;
        });
        results.push({
          status: status instanceof IdentityError ? statusOf(status) : status,
          trustDomain: name,
        });
      }
      return { results };
    },

    publishJWTAuthority: () => Promise.reject(noDownstream()),
    publishWITAuthority: () => Promise.reject(noDownstream()),
  };
}

function find(bundles: BundleStore, trustDomain: TrustDomain): Bundle {
  const bundle = bundles.get(trustDomain.name);
  if (bundle === undefined) throw bundleNotFound(trustDomain);
  return bundle;
}

/** Changes bundles one by one, each in a commit of its own, and answers for each. */
async function batchOf(
  wires: readonly Wire[],
  outputMask: Mask,
  change: (wire: Wire) => Promise<Bundle>,
) {
  checkBatch(wires.length);
  const results = [];
  for (const wire of wires) {
    const outcome = await settle(() => change(wire));
    results.push(
      outcome instanceof IdentityError
        ? { status: statusOf(outcome) }
        : { status: OK, bundle: bundleToWire(outcome, outputMask) },
    );
  }
  return { results };
}

async function settle<T>(change: () => Promise<T>): Promise<T | IdentityError> {
  try {
    return await change();
  } catch (error) {
    if (error instanceof IdentityError) return error;
    throw error;
  }
}

function statusOf({ code, message }: IdentityError): Init<spire.api.types.Status> {
  return { code, message };
}

function checkBatch(count: number): void {
  if (count <= MAX_BATCH) return;
  throw serverError("BATCH_TOO_LARGE", `${count} bundles in one call, over ${MAX_BATCH}`);
}

/** A trust domain of somebody else: the own bundle is not kept by hand. */
function foreign(name: string, own: TrustDomain): TrustDomain {
  const trustDomain = TrustDomain.parse(name);
  if (!trustDomain.equals(own)) return trustDomain;
  throw invalid(`"${own}" is this server's own trust domain, not a federated one`);
}

function foreignBundle(wire: Wire, own: TrustDomain): Bundle {
  foreign(wire.trustDomain, own);
  return bundleFromWire(wire);
}

function merged(before: Bundle, change: Bundle, mask: Mask): Bundle {
  const { x509Authorities, jwtAuthorities, witAuthorities, refreshHintSeconds, sequence } = change;
  const after = {
    ...before,
    ...(isMeant(mask, "x509Authorities") && { x509Authorities }),
    ...(isMeant(mask, "jwtAuthorities") && { jwtAuthorities }),
    ...(isMeant(mask, "witAuthorities") && { witAuthorities }),
    ...(isMeant(mask, "refreshHint") && { refreshHintSeconds }),
    ...(isMeant(mask, "sequenceNumber") && { sequence }),
  };
  checkKeyIds(after);
  return after;
}

/** What is appended becomes a trust anchor of everyone: it must at least be an authority. */
function authorityOf(der: Uint8Array): Uint8Array {
  if (parseCertificate(der).isCa) return der;
  throw invalid("a certificate to append is not one of an authority");
}

function checkSize({ x509Authorities, jwtAuthorities, witAuthorities }: Bundle): void {
  const count = Math.max(x509Authorities.length, jwtAuthorities.length, witAuthorities.length);
  if (count > MAX_AUTHORITIES) throw invalid(`a bundle of ${count} authorities is too large`);
}

/** How many bundles go on a page: what was asked for, and no more than a message should carry. */
function pageLength(bundles: readonly Bundle[], pageSize: number): number {
  if (pageSize < 0) throw invalid(`a page of ${pageSize} bundles`);
  const limit = pageSize === 0 ? bundles.length : Math.min(pageSize, bundles.length);
  let bytes = 0;
  for (let count = 0; count < limit; count++) {
    if (bytes > PAGE_BYTES) return count;
    const bundle = bundles[count];
    for (const { der } of bundle?.x509Authorities ?? []) bytes += der.length;
    for (const { spki } of bundle?.jwtAuthorities ?? []) bytes += spki.length;
    for (const { spki } of bundle?.witAuthorities ?? []) bytes += spki.length;
  }
  return limit;
}

function federatedEntries(
  entries: Iterable<RegistrationEntry>,
  { name }: TrustDomain,
): readonly string[] {
  const ids: string[] = [];
  for (const { id, federatesWith } of entries) if (federatesWith.includes(name)) ids.push(id);
  return ids;
}

function fateOf(mode: number): FederatedEntries {
  if (mode === Mode.RESTRICT) return "restrict";
  if (mode === Mode.DELETE) return "delete";
  if (mode === Mode.DISSOCIATE) return "dissociate";
  throw invalid(`there is no mode ${mode}`);
}

function exists(trustDomain: TrustDomain): IdentityError {
  return serverError("BUNDLE_EXISTS", `there is a bundle of "${trustDomain}" already`, {
    hint: "set or update it instead",
  });
}

function invalid(problem: string): IdentityError {
  return serverError("BUNDLE_REQUEST_INVALID", problem);
}

function noDownstream(): IdentityError {
  return serverError("NOT_SUPPORTED", "this server takes no authorities of servers below it");
}
