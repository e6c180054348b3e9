// Certificates as public authorities give them to web servers, and the files they are kept in.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatPem } from "../../pki/x509/pem.ts";
import { LaxAuthority, type LaxLeafOptions } from "./lax-authority.ts";

export interface WebCertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority of web certificates. */
export class WebAuthority {
  readonly #root = LaxAuthority.create({ uris: [] });

  /** Its certificate, PEM: what clients trust. */
  get pem(): string {
    return formatPem("CERTIFICATE", this.#root.certificate.der);
  }

  /** A certificate for localhost and 127.0.0.1 unless `options` say otherwise, and its key, PEM. */
  issue(options: LaxLeafOptions = {}): { readonly cert: string; readonly key: string } {
    const names = { dnsNames: ["localhost"], ipAddresses: [Uint8Array.of(127, 0, 0, 1)] };
    const middle = this.#root.intermediate({ uris: [] });
    const { chain, privateKey } = middle.issue("", { uris: [], ...names, ...options });
    return {
      cert: chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
      key: formatPem("PRIVATE KEY", privateKey),
    };
  }

  /** Writes one into a folder, over what is there. */
  write(folder: string, options: LaxLeafOptions = {}): WebCertificateFiles {
    const { cert, key } = this.issue(options);
    const files = { certFile: join(folder, "web.pem"), keyFile: join(folder, "web.key") };
    writeFileSync(files.certFile, cert);
    writeFileSync(files.keyFile, key, { mode: 0o600 });
    return files;
  }
}
