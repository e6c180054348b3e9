// Which authorities vouch for https_web endpoints (SPIFFE Federation s5.2.1.4): those that this host
// trusts, which are Node's list, what NODE_EXTRA_CA_CERTS adds and the system's own, and those of a
// file. The file is read anew for each fetch, so that a renewed one counts without a restart.

import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { contextOptions } from "../../client/tls/context.ts";
import { parsePem } from "../../pki/x509/pem.ts";
import { readFileBounded } from "../../runtime/files.ts";
import { serverError } from "../errors.ts";

const MAX_FILE_BYTES = 1024 * 1024;

/** Makes the TLS parameters of requests to https_web endpoints. */
export class WebTrust {
  readonly #file: string | undefined;
  readonly #setting: string;
  #known: { readonly pem: string; readonly context: SecureContext } | undefined;

  /** `setting` is what named the file. */
  constructor(file: string | undefined, setting = "federation.web_ca_file") {
    this.#file = file;
    this.#setting = setting;
  }

  /** @throws FEDERATION_INCOMPLETE when the file is not there or holds no certificate */
  async context(): Promise<SecureContext> {
    const pem = await this.#read();
    if (this.#known?.pem === pem) return this.#known.context;
    const trusted = new Set([...getCACertificates("default"), ...getCACertificates("system")]);
    const ca = pem === "" ? [...trusted] : [...trusted, pem];
    const context = createSecureContext({ ...contextOptions(undefined), ca });
    this.#known = { pem, context };
    return context;
  }

  async #read(): Promise<string> {
    if (this.#file === undefined) return "";
    let pem = "";
    let cause: unknown;
    try {
      const bytes = await readFileBounded(this.#file, { limitBytes: MAX_FILE_BYTES });
      pem = Buffer.from(bytes ?? []).toString("utf8");
      if (parsePem(pem).some(({ label }) => label === "CERTIFICATE")) return pem;
    } catch (error) {
      cause = error;
    }
    throw serverError("FEDERATION_INCOMPLETE", `"${this.#file}" holds no certificates in PEM`, {
      hint: `correct ${this.#setting}, or remove it`,
      cause,
    });
  }
}
