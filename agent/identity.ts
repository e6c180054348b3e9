// Who this node agent is: its key and X509-SVID, and the trust bundle it checks the server against. Kept
// sealed in the data folder, so that a restart needs no new join token; written before it is used, so
// that a crash never leaves an agent that the server knows by another key. Serves as the agent's TLS
// source. How it gets an identity: link/attest.ts; when it renews: link/link.ts.

import type { KeyObject } from "node:crypto";
import type { TlsSource } from "../client/tls/source.ts";
import type { Bundle } from "../pki/bundle/bundle.ts";
import { formatBundle } from "../pki/bundle/format.ts";
import { parseBundle } from "../pki/bundle/parse.ts";
import { exportPkcs8 } from "../pki/keys.ts";
import type { TrustDomain } from "../pki/spiffe-id.ts";
import { type Certificate, parseCertificate } from "../pki/x509/certificate.ts";
import type { CrlSet } from "../pki/x509/crl-set.ts";
import { parseX509Svid, type X509Svid } from "../pki/x509/svid.ts";
import { removeFile } from "../runtime/files.ts";
import type { Logger } from "../runtime/log.ts";
import type { SealedFile } from "../runtime/sealed-file.ts";
import { issuerKeyIds } from "./cache/mint.ts";

/** The agent's own X509-SVID. */
export interface AgentSvid extends X509Svid {
  /** The agent can attest again by itself, and does so instead of renewing. */
  readonly canReattest: boolean;
  /** Key IDs (hex) of the authorities above it. */
  readonly issuerKeyIds: readonly string[];
}

export interface AgentIdentityOptions {
  readonly trustDomain: TrustDomain;
  readonly file: SealedFile;
  /** Trusted besides the stored bundle for as long as there is no SVID: what the operator configured. */
  readonly bootstrap: Bundle | undefined;
  readonly log: Logger;
}

interface Stored {
  readonly version: 1;
  readonly trustDomain: string;
  /** PKCS #8 DER and certificates DER, base64. */
  readonly svid?: {
    readonly key: string;
    readonly chain: readonly string[];
    readonly canReattest: boolean;
  };
  /** A SPIFFE bundle document. */
  readonly bundle?: string;
}

/** The agent's identity, on disk and in memory. */
export class AgentIdentity implements TlsSource {
  readonly #options: AgentIdentityOptions;
  readonly #listeners = new Set<() => void>();
  #svid: AgentSvid | undefined;
  #bundle: Bundle | undefined;
  #anchors: readonly Certificate[] = [];
  #crls: CrlSet | undefined;
  #isDirty = false;
  /** Writes follow one another, so that the last one wins on the disk too. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: AgentIdentityOptions) {
    this.#options = options;
  }

  /**
   * Reads what is stored. An SVID that has expired, or belongs to another trust domain, is not taken.
   * @throws SEALED_FILE_DAMAGED, FILE_EXPOSED
   */
  static async load(options: AgentIdentityOptions, now: Date): Promise<AgentIdentity> {
    const identity = new AgentIdentity(options);
    const bytes = await options.file.read();
    const stored = bytes === undefined ? undefined : parseStored(bytes);
    if (stored?.trustDomain === options.trustDomain.name) {
      if (stored.bundle !== undefined) {
        identity.#bundle = parseBundle(options.trustDomain, stored.bundle);
      }
      if (stored.svid !== undefined) identity.#svid = restore(stored.svid);
    } else if (stored !== undefined) {
      options.log.warn(
        { path: options.file.path, stored: stored.trustDomain },
        "the stored identity belongs to another trust domain and is not used",
      );
    }
    if (identity.#svid !== undefined && identity.#svid.leaf.notAfter.getTime() <= now.getTime()) {
      options.log.warn(
        { agent_id: identity.#svid.id.toString(), expired_at: identity.#svid.leaf.notAfter },
        "the agent's stored SVID has expired: it must attest again",
      );
      identity.#svid = undefined;
    }
    identity.#readAnchors();
    return identity;
  }

  svid(): AgentSvid | undefined {
    return this.#svid;
  }

  /** The bundle of the own trust domain; undefined before the first contact. */
  get bundle(): Bundle | undefined {
    return this.#bundle;
  }

  /** Whether there is anything to check a server against. */
  get hasTrust(): boolean {
    return this.#anchors.length > 0;
  }

  readonly anchorsOf = (trustDomain: TrustDomain): readonly Certificate[] | undefined =>
    trustDomain.name === this.#options.trustDomain.name ? this.#anchors : undefined;

  readonly crls = (): CrlSet | undefined => this.#crls;

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes over a new SVID, and the bundle that came with it if one did. On disk when it resolves. */
  async adopt(
    svid: {
      readonly chain: readonly Uint8Array[];
      readonly privateKey: KeyObject;
      readonly canReattest: boolean;
    },
    bundle?: Bundle,
  ): Promise<AgentSvid> {
    const adopted = agentSvid(svid.chain, exportPkcs8(svid.privateKey), svid.canReattest);
    const trusted = bundle ?? this.#bundle;
    await this.#write(adopted, trusted);
    this.#svid = adopted;
    if (bundle !== undefined) this.#bundle = bundle;
    this.#changed();
    return adopted;
  }

  /** Takes over a newer bundle of the own trust domain. In use at once, on disk after {@link persist}. */
  trust(bundle: Bundle): void {
    this.#bundle = bundle;
    this.#isDirty = true;
    this.#changed();
  }

  /** Takes over what of the own trust domain has been revoked: a server with a revoked SVID is refused. */
  distrust(crls: CrlSet | undefined): void {
    this.#crls = crls;
    this.#changed();
  }

  /**
   * Resolves when what is in use is on the disk. To be awaited before the server is told that a bundle
   * has arrived: a server that signs with a new authority is strange to an agent that restarts with the
   * bundle before. @throws FILE_UNWRITABLE
   */
  async persist(): Promise<void> {
    if (!this.#isDirty) return;
    await this.#write(this.#svid, this.#bundle);
  }

  /** Removes everything that is stored: the agent has been banned. */
  async erase(): Promise<void> {
    this.#svid = undefined;
    this.#changed();
    await this.#writing.catch(() => undefined);
    await removeFile(this.#options.file.path);
  }

  #changed(): void {
    this.#readAnchors();
    for (const listener of this.#listeners) listener();
  }

  #readAnchors(): void {
    const own = this.#bundle?.x509Authorities ?? [];
    const configured = this.#svid === undefined ? this.#options.bootstrap?.x509Authorities : [];
    const der = new Map(
      [...own, ...(configured ?? [])].map((one) => [
        Buffer.from(one.der).toString("latin1"),
        one.der,
      ]),
    );
    this.#anchors = [...der.values()].map((one) => parseCertificate(one));
  }

  #write(svid: AgentSvid | undefined, bundle: Bundle | undefined): Promise<void> {
    const stored: Stored = {
      version: 1,
      trustDomain: this.#options.trustDomain.name,
      ...(svid !== undefined && {
        svid: {
          key: base64(exportPkcs8(svid.privateKey)),
          chain: svid.chain.map(base64),
          canReattest: svid.canReattest,
        },
      }),
      ...(bundle !== undefined && { bundle: formatBundle(bundle) }),
    };
    const bytes = Buffer.from(JSON.stringify(stored));
    this.#isDirty = false;
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(() => this.#options.file.write(bytes))
      .catch((error: unknown) => {
        this.#isDirty = true;
        throw error;
      });
    return this.#writing;
  }
}

function agentSvid(
  chain: readonly Uint8Array[],
  privateKey: Uint8Array,
  canReattest: boolean,
): AgentSvid {
  const svid = parseX509Svid(chain, privateKey);
  const certificates = chain.map((der) => parseCertificate(der));
  return { ...svid, canReattest, issuerKeyIds: issuerKeyIds(certificates) };
}

function restore(stored: NonNullable<Stored["svid"]>): AgentSvid {
  const chain = stored.chain.map((text) => new Uint8Array(Buffer.from(text, "base64")));
  const key = new Uint8Array(Buffer.from(stored.key, "base64"));
  return agentSvid(chain, key, stored.canReattest);
}

// The file is sealed: what opens is what we wrote. Only its version can differ.
function parseStored(bytes: Uint8Array): Stored | undefined {
  const stored = JSON.parse(Buffer.from(bytes).toString("utf8")) as Stored;
  return stored.version === 1 ? stored : undefined;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
