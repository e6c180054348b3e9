// The other side of signing-pool.ts: a thread that signs chunks of orders, whole, with the authority it
// was told of. It holds no other state, opens no files and knows no clock.

import { parentPort } from "node:worker_threads";
import { IdentityError } from "../../pki/errors.ts";
import { keyPairOf, signerOf } from "../../pki/keys.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import type { X509Issuer } from "../../pki/x509/issue.ts";
import { signOrder } from "./sign.ts";
import {
  type IssuerMessage,
  pack,
  type SignedMessage,
  type SignMessage,
  type ToThread,
  unpack,
} from "./signing-messages.ts";

const port = parentPort;
if (port === null) throw new TypeError("signing-thread.ts runs as a worker thread");

let known: { readonly issuer: number; readonly authority: X509Issuer } | undefined;

port.on("message", (message: ToThread) => {
  if (message.step === "issuer") known = { issuer: message.issuer, authority: readIssuer(message) };
  else {
    const signed = sign(message);
    port.postMessage(signed, [signed.leaves.bytes.buffer]);
  }
});

function readIssuer(message: IssuerMessage): X509Issuer {
  const { certificate, upstreamChain, keyId, privateKey, crlUrl, taskCrlUrl } = message;
  const signer = signerOf(keyId, keyPairOf(privateKey));
  return {
    certificate: parseCertificate(certificate),
    upstreamChain,
    signer,
    crlUrl,
    taskCrlUrl,
  };
}

function sign({ chunk, issuer, csrs, orders }: SignMessage): SignedMessage {
  if (known?.issuer !== issuer) throw new TypeError("a chunk for an authority that is not known");
  const leaves: Uint8Array[] = [];
  const notAfterMs: number[] = [];
  const refusals: SignedMessage["refusals"][number][] = [];
  for (const [index, csr] of unpack(csrs).entries()) {
    const order = orders[index];
    if (order === undefined) throw new TypeError("a request without an order");
    try {
      const leaf = signOrder(known.authority, { ...order, csr });
      if (leaf instanceof Promise) throw new TypeError("only P-256 keys sign on a thread");
      leaves.push(leaf.der);
      notAfterMs.push(leaf.notAfter.getTime());
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error;
      const { reason, code, message, hint } = error;
      refusals.push({ index, reason, code, message, hint });
      leaves.push(new Uint8Array(0));
      notAfterMs.push(0);
    }
  }
  return { chunk, leaves: pack(leaves), notAfterMs, refusals };
}
