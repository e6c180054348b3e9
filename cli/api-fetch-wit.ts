// `signet api fetch wit`: WIT-SVIDs, and with --write their keys.

import type { WorkloadWitSvid } from "../client/wit/wit-context.ts";
import { formatPrivateJwk } from "../pki/wit/private-jwk.ts";
import { parseWitSvidInsecurely } from "../pki/wit/svid.ts";
import type { Command } from "./command.ts";
import { parseId, parseSeconds, WORKLOAD_SOCKET } from "./flags.ts";
import { formatDate, formatRecord } from "./output.ts";
import { readJti } from "./svid-output.ts";
import { withWorkloadApi } from "./workload-socket.ts";
import { formatWritten, writeFiles } from "./write-files.ts";

export const command: Command = {
  description:
    "Fetches this process's WIT-SVIDs from the Workload API. Agent and server serve them behind the flag wit-svid.",
  flags: [
    { name: "spiffe-id", value: "<id>", description: "only the token of this identity" },
    { name: "write", value: "<folder>", description: "write svid.N.wit and svid.N.jwk there" },
    { name: "timeout", value: "<duration>", description: "how long to wait", defaultValue: "5s" },
    WORKLOAD_SOCKET,
  ],
  examples: [
    ["signet api fetch wit", "the tokens: worth nothing without a proof by their keys"],
    ["signet api fetch wit --write /tmp/me", "the keys too, as private JWKs"],
  ],
  async run(input, output) {
    const id = input.text("spiffeId");
    const request = {
      ...(id !== undefined && { spiffeId: parseId(id, "--spiffe-id") }),
      timeoutMs: parseSeconds(input.text("timeout") ?? "5s", "--timeout") * 1000,
    };
    const svids = await withWorkloadApi(input, (api) => api.fetchWitSvids(request));
    const folder = input.text("write");
    const files = folder === undefined ? [] : await writeFiles(folder, filesOf(svids));
    // Keys are left out: what is printed ends in logs.
    const json = svids.map((svid) => ({
      spiffeId: svid.id.toString(),
      hint: svid.hint,
      expiresAt: svid.expiresAt.toISOString(),
      algorithm: svid.key.alg,
      ...(jtiOf(svid) !== undefined && { jti: jtiOf(svid) }),
      witSvid: svid.token,
    }));
    output.show({ svids: json, ...(folder && { files }) }, () =>
      [...svids.map(formatSvid), ...formatWritten(files)].join("\n\n"),
    );
  },
};

function formatSvid(svid: WorkloadWitSvid): string {
  const jti = jtiOf(svid);
  return formatRecord([
    ["SPIFFE ID", svid.id.toString()],
    ["Expires", formatDate(svid.expiresAt)],
    ["Proof by", svid.key.alg],
    ...(jti === undefined ? [] : [["jti", jti] as const]),
    ...(svid.hint === "" ? [] : [["Hint", svid.hint] as const]),
    ["Token", svid.token],
  ]);
}

function jtiOf({ token }: WorkloadWitSvid): string | undefined {
  return readJti(parseWitSvidInsecurely(token).claims);
}

function filesOf(svids: readonly WorkloadWitSvid[]) {
  return svids.flatMap(({ token, key }, i) => [
    { name: `svid.${i}.wit`, text: `${token}\n`, mode: 0o600 },
    { name: `svid.${i}.jwk`, text: `${formatPrivateJwk(key.privateKey, key.alg)}\n`, mode: 0o600 },
  ]);
}
