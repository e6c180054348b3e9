// What every judge has: a way to ask it about each kind of document. How the answers compare with ours:
// ../agreement.test.ts.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatPem } from "../../../pki/x509/pem.ts";
import { run } from "../../support/signet.ts";
import type { ChainCase, CrlCase, ReaderName, RequestCase, Verdict } from "../corpus/case.ts";

export interface Judge {
  readonly name: ReaderName;
  /** Its version, in its own words. */
  version(): Promise<string>;
  /** Whether a chain validates for a TLS server; by case name. Absent: it cannot tell. */
  chains?(files: readonly ChainFiles[]): Promise<ReadonlyMap<string, Verdict>>;
  /** Whether a list is taken, and lists the leaf as the case says. */
  crls?(files: readonly CrlFiles[]): Promise<ReadonlyMap<string, Verdict>>;
  /** Whether a request is signed by its own key. */
  requests?(files: readonly RequestFiles[]): Promise<ReadonlyMap<string, Verdict>>;
}

/** A case of chains as files, PEM and DER. */
export interface ChainFiles {
  readonly name: string;
  readonly leafDer: string;
  readonly leaf: string;
  readonly intermediates: string;
  readonly anchors: string;
  /** DER, one file each: intermediates first. */
  readonly authorities: readonly { readonly file: string; readonly trusted: boolean }[];
}

export interface CrlFiles {
  readonly name: string;
  readonly crlDer: string;
  readonly crl: string;
  readonly authority: string;
  readonly authorityDer: string;
  readonly leaf: string;
  readonly leafDer: string;
  readonly unlisted: boolean;
}

export interface RequestFiles {
  readonly name: string;
  readonly requestDer: string;
}

function folderOf(
  dir: string,
  kind: string,
  index: number,
): (name: string, content: Uint8Array | string) => string {
  const folder = join(dir, kind, String(index));
  mkdirSync(folder, { recursive: true });
  return (name, content) => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  };
}

const pem = (der: Uint8Array): string => formatPem("CERTIFICATE", der);

/** Writes chains below `dir`. */
export function chainFiles(dir: string, cases: readonly ChainCase[]): ChainFiles[] {
  return cases.map(({ name, leaf, intermediates, anchors }, i) => {
    const write = folderOf(dir, "chains", i);
    const authority = (trusted: boolean) => (der: Uint8Array, n: number) => ({
      file: write(`${trusted ? "anchor" : "intermediate"}-${n}.der`, der),
      trusted,
    });
    return {
      name,
      leafDer: write("leaf.der", leaf),
      leaf: write("leaf.pem", pem(leaf)),
      intermediates: write("intermediates.pem", intermediates.map(pem).join("")),
      anchors: write("anchors.pem", anchors.map(pem).join("")),
      authorities: [...intermediates.map(authority(false)), ...anchors.map(authority(true))],
    };
  });
}

/** Writes lists below `dir`. */
export function crlFiles(dir: string, cases: readonly CrlCase[]): CrlFiles[] {
  return cases.map(({ name, crl, authority, leaf, unlisted = false }, i) => {
    const write = folderOf(dir, "crls", i);
    return {
      name,
      unlisted,
      crlDer: write("list.der", crl),
      crl: write("list.pem", formatPem("X509 CRL", crl)),
      authority: write("authority.pem", pem(authority)),
      authorityDer: write("authority.der", authority),
      leaf: write("leaf.pem", pem(leaf)),
      leafDer: write("leaf.der", leaf),
    };
  });
}

/** Writes requests below `dir`. */
export function requestFiles(dir: string, cases: readonly RequestCase[]): RequestFiles[] {
  return cases.map(({ name, request }, i) => ({
    name,
    requestDer: folderOf(dir, "requests", i)("request.der", request),
  }));
}

/** Asks about one case after the other. */
export async function each<F extends { readonly name: string }>(
  files: readonly F[],
  ask: (file: F) => Promise<Verdict>,
): Promise<ReadonlyMap<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  for (const file of files) verdicts.set(file.name, await ask(file));
  return verdicts;
}

/** Runs a command; what it printed, and whether it succeeded. */
export async function ask(command: string, args: readonly string[]): Promise<Verdict> {
  const { status, stdout, stderr } = await run(command, args);
  return { accepted: status === 0, says: `${stdout}${stderr}`.trim() };
}

/** Whether a list was taken and says of the leaf what it should. */
export function taken(isRevoked: boolean, { unlisted }: CrlFiles, says: string): Verdict {
  return { accepted: isRevoked !== unlisted, says };
}
