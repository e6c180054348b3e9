// A certificate that somebody else renews: `cert_file` and `key_file`, as an ACME client or a secret
// volume leaves them. They are read again when a folder they lie in changes, once a minute besides, and
// on SIGHUP. A pair that cannot be used changes nothing: the former one is shown on, and the log says why.

import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { contextOptions } from "../../client/tls/context.ts";
import type { IdentityError } from "../../pki/errors.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { readFileBounded } from "../../runtime/files.ts";
import type { Logger } from "../../runtime/log.ts";
import { serverError } from "../errors.ts";
import type { ServingCertificate } from "./tls.ts";

const LOOK_EVERY_MS = 60_000;
/** Both files are seldom replaced at the same instant: they are read once they have been left alone for so long. */
const SETTLE_MS = 300;
const MAX_CHAIN = 10;
const WARN_BEFORE_MS = 7 * 86_400_000;
const WARN_EVERY_MS = 86_400_000;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

export interface CertificateFilesOptions {
  /** PEM: the certificate, then those between it and the root. */
  readonly certFile: string;
  /** PEM, not encrypted. */
  readonly keyFile: string;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Pair {
  readonly options: SecureContextOptions;
  readonly leaf: X509Certificate;
  /** Of both files, to notice a change. */
  readonly digest: string;
}

export class CertificateFiles implements ServingCertificate {
  readonly #options: CertificateFilesOptions;
  readonly #listeners = new Set<() => void>();
  #watchers: FSWatcher[] = [];
  #pair: Pair;
  #settling: Timer | undefined;
  #looking: Timer | undefined;
  #reading: Promise<void> | undefined;
  /** What was last said of files that cannot be used: said once. */
  #complaint = "";
  #warnedAtMs = -Infinity;
  #stopped = false;

  private constructor(options: CertificateFilesOptions, pair: Pair) {
    this.#options = options;
    this.#pair = pair;
  }

  /** Reads the files and follows them. @throws CERTIFICATE_FILES_UNUSABLE */
  static async start(options: CertificateFilesOptions): Promise<CertificateFiles> {
    const files = new CertificateFiles(options, await readPair(options));
    await files.#warn();
    files.#follow();
    files.#lookLater();
    return files;
  }

  current(): SecureContextOptions {
    return this.#pair.options;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads the files now. @throws CERTIFICATE_FILES_UNUSABLE: what was shown is shown on */
  async reload(): Promise<void> {
    await this.#reading;
    await this.#read();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const watcher of this.#watchers) watcher.close();
    this.#settling?.cancel();
    this.#looking?.cancel();
    await this.#reading;
  }

  async #read(): Promise<void> {
    const pair = await readPair(this.#options);
    this.#complaint = "";
    if (this.#stopped || pair.digest === this.#pair.digest) return;
    this.#pair = pair;
    this.#warnedAtMs = -Infinity;
    const { log, certFile } = this.#options;
    const { serialNumber, validTo } = pair.leaf;
    log.info(
      { file: certFile, serial: serialNumber, expires_at: new Date(validTo).toISOString() },
      "certificate loaded",
    );
    await this.#warn();
    for (const listener of this.#listeners) listener();
  }

  /** Reads the files unless that is under way, and says what is wrong with them, once. */
  #look(): Promise<void> {
    this.#reading ??= this.#read()
      .catch((error: IdentityError) => {
        if (error.message === this.#complaint) return;
        this.#complaint = error.message;
        const { log, certFile } = this.#options;
        log.error(
          { error, reason: error.reason, file: certFile },
          "the former certificate stays: the new one cannot be used",
        );
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#looking = this.#options.clock.setTimer(LOOK_EVERY_MS, () => {
      void this.#look()
        .then(() => this.#warn())
        .finally(() => this.#lookLater());
    });
  }

  /** The folders, not the files: renewed files are new ones, and mounted secrets change a link beside them. */
  #follow(): void {
    const { certFile, keyFile, clock, log } = this.#options;
    for (const folder of new Set([dirname(certFile), dirname(keyFile)])) {
      try {
        const watcher = watch(folder, { persistent: false }, () => {
          this.#settling?.cancel();
          if (!this.#stopped) this.#settling = clock.setTimer(SETTLE_MS, () => void this.#look());
        });
        watcher.on("error", () => watcher.close());
        this.#watchers.push(watcher);
      } catch (error) {
        log.warn(
          { error, folder },
          "cannot watch a folder: its certificate is looked at once a minute",
        );
      }
    }
  }

  /** What an operator should know of a pair that is shown nevertheless; once a day. */
  async #warn(): Promise<void> {
    const { clock, log, certFile, keyFile } = this.#options;
    const nowMs = clock.now().getTime();
    if (Math.abs(nowMs - this.#warnedAtMs) < WARN_EVERY_MS) return;
    const { leaf } = this.#pair;
    const problems: string[] = [];
    const endMs = Date.parse(leaf.validTo);
    if (endMs <= nowMs) problems.push("it has expired");
    else if (endMs - nowMs < WARN_BEFORE_MS && lifeMs(leaf) > 2 * WARN_BEFORE_MS)
      problems.push("it expires within a week");
    if (Date.parse(leaf.validFrom) > nowMs) problems.push("it is not valid yet");
    if (leaf.checkIssued(leaf))
      problems.push("it signed itself, so no public authority vouches for it");
    const mode = (await stat(keyFile).catch(() => undefined))?.mode ?? 0;
    if ((mode & 0o037) !== 0) {
      problems.push(
        `its key "${keyFile}" has mode ${(mode & 0o777).toString(8).padStart(4, "0")}: run 'chmod 600' on it`,
      );
    }
    if (problems.length === 0) return;
    this.#warnedAtMs = nowMs;
    log.warn({ file: certFile, problems }, "something is wrong with a certificate that is shown");
  }
}

async function readPair({ certFile, keyFile }: CertificateFilesOptions): Promise<Pair> {
  const [cert, key] = await Promise.all([contentOf(certFile), contentOf(keyFile)]);
  const blocks = cert.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw unusable(`"${certFile}" holds no PEM certificate`);
  if (blocks.length > MAX_CHAIN)
    throw unusable(`"${certFile}" holds ${blocks.length} certificates, over ${MAX_CHAIN}`);
  const [leaf] = blocks.map((block) =>
    attempt(`a certificate in "${certFile}"`, () => new X509Certificate(block)),
  );
  if (leaf === undefined) throw new TypeError("no leaf");
  if (leaf.ca)
    throw unusable(
      `"${certFile}" starts with the certificate of an authority, not with the server's own`,
    );
  if (!/(?:^|, )(?:DNS|IP Address):/.test(leaf.subjectAltName ?? "")) {
    throw unusable(
      `the certificate in "${certFile}" names no host: clients would refuse it`,
      "get one whose subject alternative names hold the DNS name or address that clients use",
    );
  }
  if (/^-----BEGIN (ENCRYPTED|RSA PRIVATE KEY-----\s+Proc-Type: 4,ENCRYPTED)/m.test(key)) {
    throw unusable(
      `the key in "${keyFile}" is encrypted`,
      "store it without a passphrase, with mode 0600",
    );
  }
  const privateKey = attempt(`the key in "${keyFile}"`, () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey)) {
    throw unusable(
      `the key in "${keyFile}" is not that of the certificate in "${certFile}"`,
      "replace both files together",
    );
  }
  const options: SecureContextOptions = {
    ...contextOptions(undefined),
    cert: blocks.join("\n"),
    key,
  };
  attempt(`the pair "${certFile}" and "${keyFile}"`, () => createSecureContext(options));
  return {
    options,
    leaf,
    digest: createHash("sha256").update(cert).update("\0").update(key).digest("hex"),
  };
}

async function contentOf(file: string): Promise<string> {
  const bytes = await readFileBounded(file).catch((cause: unknown) => {
    throw unusable((cause as Error).message);
  });
  if (bytes === undefined) throw unusable(`there is no file "${file}"`);
  return Buffer.from(bytes).toString("latin1");
}

function attempt<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw unusable(`${what} cannot be used: ${(cause as Error).message}`, undefined, cause);
  }
}

function lifeMs({ validFrom, validTo }: X509Certificate): number {
  return Date.parse(validTo) - Date.parse(validFrom);
}

function unusable(
  why: string,
  hint = "check cert_file and key_file: PEM, readable by the server's user, and of one pair",
  cause?: unknown,
): IdentityError {
  return serverError("CERTIFICATE_FILES_UNUSABLE", why, { hint, cause });
}
