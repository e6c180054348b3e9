// What this process gets from a Workload API socket, as the files that other programs read.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { WorkloadApi, type X509Context } from "../../client/index.ts";
import { exportPkcs8 } from "../../pki/keys.ts";
import { formatPem } from "../../pki/x509/pem.ts";
import type { Up } from "../support/signet.ts";

export interface Material {
  readonly context: X509Context;
  /** PEM: leaf and intermediates, the key, the authorities of the own trust domain. */
  readonly chainFile: string;
  readonly keyFile: string;
  readonly bundleFile: string;
  /** DER: each certificate of its own. */
  readonly leafDer: string;
  readonly authorityDer: string;
}

const certificatePem = (der: Uint8Array): string => formatPem("CERTIFICATE", der);

/** Fetches the X.509 context and writes it below `dir`. */
export async function fetchMaterial(up: Up, dir: string): Promise<Material> {
  using api = new WorkloadApi({ endpoint: `unix://${up.agentSocket}` });
  const context = await api.fetchX509Context();
  const svid = context.svids[0];
  const authorities = context.bundles.get(svid?.id.trustDomain.name ?? "") ?? [];
  if (svid === undefined || authorities[0] === undefined) throw new Error("no identity");
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(dir, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  return {
    context,
    chainFile: write("chain.pem", svid.chain.map(certificatePem).join("")),
    keyFile: write("key.pem", formatPem("PRIVATE KEY", exportPkcs8(svid.privateKey))),
    bundleFile: write("bundle.pem", authorities.map(({ der }) => certificatePem(der)).join("")),
    leafDer: write("leaf.der", svid.leaf.der),
    authorityDer: write("authority.der", authorities[0].der),
  };
}

/** Registers this user, with a DNS name, below the node agent of `up`. */
export async function registerSelf(
  up: Up,
  path: string,
  ...more: readonly string[]
): Promise<string> {
  const { agents } = JSON.parse(await up.admin("agent", "list", "--output", "json")) as {
    agents: { id: { trustDomain: string; path: string } }[];
  };
  const agent = agents[0]?.id;
  if (agent === undefined) throw new Error("no agent");
  const id = `spiffe://${agent.trustDomain}${path}`;
  await up.admin(
    "entry",
    "create",
    "--spiffe-id",
    id,
    "--parent-id",
    `spiffe://${agent.trustDomain}${agent.path}`,
    "--selector",
    `unix:uid:${process.getuid?.()}`,
    ...more,
  );
  return id;
}
