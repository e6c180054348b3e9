// Join token attestation, the agent's half: the token itself is the proof. It works once, so an agent
// that lost its SVID needs a new one.

import { readPrivateFile } from "../../runtime/files.ts";
import { agentError } from "../errors.ts";
import type { NodeAttestor } from "./index.ts";

const MAX_TOKEN_BYTES = 1024;

export interface JoinTokenOptions {
  /** The token, when it was given directly. */
  readonly token: string | undefined;
  /** Where it stands otherwise. */
  readonly file: string | undefined;
}

/** Attests with a join token. */
export function joinTokenAttestor(options: JoinTokenOptions): NodeAttestor {
  return {
    type: "join_token",
    async payload() {
      return Buffer.from(await readToken(options));
    },
    async respond() {
      throw agentError("ATTESTATION_REFUSED", "the server answered a join token with a challenge");
    },
  };
}

async function readToken({ token, file }: JoinTokenOptions): Promise<string> {
  if (token !== undefined) return token;
  const bytes =
    file === undefined ? undefined : await readPrivateFile(file, { limitBytes: MAX_TOKEN_BYTES });
  const text = bytes === undefined ? "" : Buffer.from(bytes).toString("utf8").trim();
  if (text !== "") return text;
  const where = file === undefined ? "" : `: "${file}" is missing or empty`;
  throw agentError("JOIN_TOKEN_MISSING", `this agent has no identity and no join token${where}`, {
    hint: "make one with 'signet token generate' and give it by join_token_file or SIGNET_JOIN_TOKEN",
  });
}
