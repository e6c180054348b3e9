// `signet api validate`: has the agent validate a JWT-SVID.

import type { Command } from "./command.ts";
import { parseSeconds, required, WORKLOAD_SOCKET } from "./flags.ts";
import { formatRecord } from "./output.ts";
import { readInput } from "./read-input.ts";
import { withWorkloadApi } from "./workload-socket.ts";

const MAX_TOKEN_BYTES = 64 * 1024;

export const command: Command = {
  description:
    "Validates a JWT-SVID against the bundles this process may use, and prints its claims.",
  flags: [
    {
      name: "audience",
      value: "<name>",
      description: "who you are: the token must be meant for it",
    },
    { name: "svid", value: "<token>", description: 'the token; "-" reads it from standard input' },
    { name: "timeout", value: "<duration>", description: "how long to wait", defaultValue: "5s" },
    WORKLOAD_SOCKET,
  ],
  examples: [
    [
      "pbpaste | signet api validate --audience reports --svid -",
      "keeps the token out of the list of processes",
    ],
  ],
  async run(input, output) {
    const audience = required(input, "audience", "--audience");
    const given = required(input, "svid", "--svid");
    const token = given === "-" ? await readInput("-", "--svid", MAX_TOKEN_BYTES) : given;
    const timeoutMs = parseSeconds(input.text("timeout") ?? "5s", "--timeout") * 1000;
    const { id, claims } = await withWorkloadApi(input, (api) =>
      api.validateJwtSvid(token.trim(), audience, { timeoutMs }),
    );
    output.show({ spiffeId: id.toString(), claims }, () =>
      formatRecord([
        ["SPIFFE ID", id.toString()],
        ["Claims", JSON.stringify(claims, undefined, 2)],
      ]),
    );
  },
};
