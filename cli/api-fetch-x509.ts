// `signet api fetch x509`: what a workload gets that runs where this command runs.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { WorkloadX509Svid, X509Context } from "../client/x509-context.ts";
import { exportPkcs8 } from "../pki/keys.ts";
import type { Certificate } from "../pki/x509/certificate.ts";
import { formatPem } from "../pki/x509/pem.ts";
import { writeFileAtomic } from "../runtime/files.ts";
import type { Command } from "./command.ts";
import { parseSeconds, WORKLOAD_SOCKET } from "./flags.ts";
import { formatCount, formatDate, formatRecord } from "./output.ts";
import { withWorkloadApi } from "./workload-socket.ts";

export const command: Command = {
  description: "Fetches this process's X509-SVIDs and bundles from the Workload API.",
  flags: [
    {
      name: "write",
      value: "<folder>",
      description: "write svid.N.pem, svid.N.key, bundle.N.pem and federated_bundle.N.M.pem there",
    },
    { name: "timeout", value: "<duration>", description: "how long to wait", defaultValue: "5s" },
    WORKLOAD_SOCKET,
  ],
  examples: [
    ["signet api fetch x509", "which identities this user has here"],
    [
      "signet api fetch x509 --write /tmp/me && openssl verify -CAfile /tmp/me/bundle.0.pem /tmp/me/svid.0.pem",
      "files for other tools",
    ],
  ],
  async run(input, output) {
    const timeoutMs = parseSeconds(input.text("timeout") ?? "5s", "--timeout") * 1000;
    const context = await withWorkloadApi(input, (api) => api.fetchX509Context({ timeoutMs }));
    const folder = input.text("write");
    const files = folder === undefined ? [] : await writeFiles(context, folder);
    output.show({ svids: context.svids.map(svidToJson), ...(folder && { files }) }, () =>
      [...context.svids.map(formatSvid), ...files.map((file) => `wrote ${file}`)].join("\n\n"),
    );
  },
};

/** Keys are left out: what is printed ends in logs. */
function svidToJson(svid: WorkloadX509Svid): object {
  return {
    spiffeId: svid.id.toString(),
    hint: svid.hint,
    expiresAt: svid.leaf.notAfter.toISOString(),
    serialNumber: svid.leaf.serialDecimal,
    x509Svid: svid.chain.map((der) => Buffer.from(der).toString("base64")),
  };
}

function formatSvid(svid: WorkloadX509Svid): string {
  const { leaf } = svid;
  const rows: [string, string][] = [
    ["SPIFFE ID", svid.id.toString()],
    ["Valid", `${formatDate(leaf.notBefore)} to ${formatDate(leaf.notAfter)}`],
    ["Serial", leaf.serialHex],
    ["Chain", formatCount(svid.chain.length, "certificate", "certificates")],
  ];
  if (svid.hint !== "") rows.push(["Hint", svid.hint]);
  return formatRecord(rows);
}

async function writeFiles(context: X509Context, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files: string[] = [];
  const write = async (name: string, text: string, mode: number): Promise<void> => {
    const path = join(folder, name);
    await writeFileAtomic(path, Buffer.from(text), mode);
    files.push(path);
  };
  const pem = (ders: readonly Uint8Array[]): string =>
    ders.map((der) => formatPem("CERTIFICATE", der)).join("");
  for (const [i, svid] of context.svids.entries()) {
    const own = svid.id.trustDomain.name;
    await write(`svid.${i}.pem`, pem(svid.chain), 0o644);
    await write(`svid.${i}.key`, formatPem("PRIVATE KEY", exportPkcs8(svid.privateKey)), 0o600);
    await write(`bundle.${i}.pem`, pem(dersOf(context.bundles.get(own))), 0o644);
    const federated = [...context.bundles].filter(([name]) => name !== own);
    for (const [j, [, authorities]] of federated.entries()) {
      await write(`federated_bundle.${i}.${j}.pem`, pem(dersOf(authorities)), 0o644);
    }
  }
  return files;
}

function dersOf(certificates: readonly Certificate[] = []): Uint8Array[] {
  return certificates.map(({ der }) => der);
}
