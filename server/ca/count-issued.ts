// Counts what the issuer signs, for the metrics. Around the issuer and not in it: issuing needs no
// registry of metrics to be tested.
import { IdentityError } from "../../pki/errors.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import type { Issuer } from "./issuer.ts";

/** What signs for callers. */
export type Issuing = Pick<
  Issuer,
  "issueX509Batch" | "issueX509" | "issueForKey" | "issueJwt" | "issueWitBatch" | "issueWit"
>;

/** The same issuer, counted. */
export function countIssued(issuer: Issuing, metrics: Metrics): Issuing {
  const issued = metrics.counter({
    name: "issued_svids_total",
    help: "SVIDs that were signed, by kind",
    labels: ["kind"],
  });
  const x509 = issued.labels({ kind: "x509" });
  const jwt = issued.labels({ kind: "jwt" });
  const wit = issued.labels({ kind: "wit" });
  return {
    async issueX509Batch(orders) {
      const results = await issuer.issueX509Batch(orders);
      x509.inc(countOf(results));
      return results;
    },
    async issueX509(order) {
      const result = await issuer.issueX509(order);
      x509.inc();
      return result;
    },
    async issueForKey(order) {
      const result = await issuer.issueForKey(order);
      x509.inc();
      return result;
    },
    async issueJwt(order) {
      const result = await issuer.issueJwt(order);
      jwt.inc();
      return result;
    },
    async issueWitBatch(orders) {
      const results = await issuer.issueWitBatch(orders);
      wit.inc(countOf(results));
      return results;
    },
    async issueWit(order) {
      const result = await issuer.issueWit(order);
      wit.inc();
      return result;
    },
  };
}

function countOf(results: readonly unknown[]): number {
  let count = 0;
  for (const result of results) if (!(result instanceof IdentityError)) count++;
  return count;
}
