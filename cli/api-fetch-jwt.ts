// `signet api fetch jwt`: JWT-SVIDs for an audience.

import type { WorkloadJwtSvid } from "../client/jwt-context.ts";
import { parseJwtSvidInsecurely } from "../pki/jwt/svid.ts";
import type { Command } from "./command.ts";
import { misuse, parseId, parseSeconds, WORKLOAD_SOCKET } from "./flags.ts";
import { formatDate, formatRecord } from "./output.ts";
import { readJti } from "./svid-output.ts";
import { withWorkloadApi } from "./workload-socket.ts";

export const command: Command = {
  description: "Fetches this process's JWT-SVIDs from the Workload API.",
  flags: [
    {
      name: "audience",
      value: "<name>",
      description: "who will receive the token; several also separated by commas",
      isRepeated: true,
    },
    { name: "spiffe-id", value: "<id>", description: "only the token of this identity" },
    { name: "timeout", value: "<duration>", description: "how long to wait", defaultValue: "5s" },
    WORKLOAD_SOCKET,
  ],
  examples: [
    ["signet api fetch jwt --audience reports", "a token to call the service 'reports'"],
    [
      "signet api fetch jwt --audience reports --output json | jq -r .svids[0].svid",
      "the token alone",
    ],
  ],
  async run(input, output) {
    const audience = input.list("audience").flatMap((text) => text.split(","));
    if (audience.length === 0 || audience.includes("")) {
      throw misuse("--audience is missing", {
        hint: "name the service that will receive the token",
      });
    }
    const id = input.text("spiffeId");
    const request = {
      audience,
      ...(id !== undefined && { spiffeId: parseId(id, "--spiffe-id") }),
      timeoutMs: parseSeconds(input.text("timeout") ?? "5s", "--timeout") * 1000,
    };
    const svids = await withWorkloadApi(input, (api) => api.fetchJwtSvids(request));
    output.show({ svids: svids.map(svidToJson) }, () => svids.map(formatSvid).join("\n\n"));
  },
};

function svidToJson(svid: WorkloadJwtSvid): object {
  const jti = jtiOf(svid);
  return {
    spiffeId: svid.id.toString(),
    hint: svid.hint,
    expiresAt: svid.expiresAt.toISOString(),
    ...(jti !== undefined && { jti }),
    svid: svid.token,
  };
}

function formatSvid(svid: WorkloadJwtSvid): string {
  const jti = jtiOf(svid);
  return formatRecord([
    ["SPIFFE ID", svid.id.toString()],
    ["Expires", formatDate(svid.expiresAt)],
    ...(jti === undefined ? [] : [["jti", jti] as const]),
    ...(svid.hint === "" ? [] : [["Hint", svid.hint] as const]),
    ["Token", svid.token],
  ]);
}

function jtiOf({ token }: WorkloadJwtSvid): string | undefined {
  return readJti(parseJwtSvidInsecurely(token).claims);
}
