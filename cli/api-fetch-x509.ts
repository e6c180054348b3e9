// `signet api fetch x509`: what a workload gets that runs where this command runs.

import type { WorkloadX509Svid, X509Context } from "../client/x509-context.ts";
import { exportPkcs8 } from "../pki/keys.ts";
import type { Certificate } from "../pki/x509/certificate.ts";
import { formatPem } from "../pki/x509/pem.ts";
import type { Command } from "./command.ts";
import { parseSeconds, WORKLOAD_SOCKET } from "./flags.ts";
import { formatCount, formatDate, formatRecord } from "./output.ts";
import { withWorkloadApi } from "./workload-socket.ts";
import { formatWritten, type WrittenFile, writeFiles } from "./write-files.ts";

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
    const files = folder === undefined ? [] : await writeFiles(folder, filesOf(context));
    output.show({ svids: context.svids.map(svidToJson), ...(folder && { files }) }, () =>
      [...context.svids.map(formatSvid), ...formatWritten(files)].join("\n\n"),
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

function filesOf(context: X509Context): WrittenFile[] {
  const pem = (ders: readonly Uint8Array[]): string =>
    ders.map((der) => formatPem("CERTIFICATE", der)).join("");
  return context.svids.flatMap((svid, i) => {
    const own = svid.id.trustDomain.name;
    const key = formatPem("PRIVATE KEY", exportPkcs8(svid.privateKey));
    const federated = [...context.bundles].filter(([name]) => name !== own);
    return [
      { name: `svid.${i}.pem`, text: pem(svid.chain), mode: 0o644 },
      { name: `svid.${i}.key`, text: key, mode: 0o600 },
      { name: `bundle.${i}.pem`, text: pem(dersOf(context.bundles.get(own))), mode: 0o644 },
      ...federated.map(([, authorities], j) => {
        return {
          name: `federated_bundle.${i}.${j}.pem`,
          text: pem(dersOf(authorities)),
          mode: 0o644,
        };
      }),
    ];
  });
}

function dersOf(certificates: readonly Certificate[] = []): Uint8Array[] {
  return certificates.map(({ der }) => der);
}
