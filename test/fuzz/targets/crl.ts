// Certificate revocation lists.

import { parseCrl } from "../../../pki/x509/crl.ts";
import { issueCrl } from "../../../pki/x509/crl-issue.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import { type FuzzTarget, holds, parsedOrRefused } from "../target.ts";

const authority = LaxAuthority.create();
const thisUpdate = new Date("2026-01-01T00:00:00Z");
const nextUpdate = new Date("2026-01-02T00:00:00Z");

export const crl: FuzzTarget = {
  name: "crl",
  reads: "revocation lists that an agent is sent and a client is handed",
  maxBytes: 4096,
  seeds: () =>
    [0, 1, 5].flatMap((count) => {
      const revoked = Array.from({ length: count }, (_, i) => ({
        serial: `7f${i}${i}`,
        revokedAt: thisUpdate,
        ...(i > 0 && { reason: "superseded" as const }),
      }));
      const request = { issuer: authority.issuer(), number: 7n, thisUpdate, nextUpdate, revoked };
      const der = issueCrl(request);
      return der instanceof Uint8Array ? [der] : [];
    }),
  run(data) {
    const list = parsedOrRefused(() => parseCrl(data));
    if (list === undefined) return;
    holds(Buffer.from(list.der).equals(data), "a list with bytes beyond its end");
    holds(list.size <= data.length, "more certificates than there is room for");
    parsedOrRefused(() => list.isSignedBy(authority.certificate.publicKey));
    parsedOrRefused(() => list.reasonOf("7f00"));
    list.reasonOf("");
  },
};
