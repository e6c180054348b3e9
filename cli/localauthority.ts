// `signet localauthority x509|jwt|wit|oauth show|prepare|activate|taint|revoke`: forced rotation of the keys that
// sign. The kinds are rows; a command is made for each kind and verb.

import type { Channel } from "../proto/rpc/client.ts";
import {
  codecOf,
  LocalAuthorityService,
  type Messages,
  OAuthAuthorityService,
  type spire,
} from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET, required } from "./flags.ts";
import { formatMoment, formatTable } from "./output.ts";

type State = spire.api.server.localauthority.v1.AuthorityState;
type Answer = { readonly message: keyof Messages; readonly response: object };

type Kind = "x509" | "jwt" | "wit" | "oauth";
type Verb = "prepare" | "activate" | "taint" | "revoke";

const NAMES = {
  x509: "X509",
  jwt: "JWT",
  wit: "WIT",
  oauth: "OAuth",
} as const;
const VERB_NAMES = {
  prepare: "Prepare",
  activate: "Activate",
  taint: "Taint",
  revoke: "Revoke",
} as const;

const DESCRIPTIONS: Readonly<Record<Verb, string>> = {
  prepare:
    "Makes the next authority and publishes it in the bundle, so that everyone trusts it before it signs.",
  activate:
    "Lets the prepared authority sign from now on; the one before becomes old and stays trusted.",
  taint:
    "Marks the old authority as no longer trustworthy: agents replace everything it signed, without a gap.",
  revoke: "Removes the tainted authority from the bundle: what it signed is trusted no more.",
};

const EXAMPLES: Readonly<Record<Verb, string>> = {
  prepare: "the first step",
  activate: "the second step",
  taint: "the third step, when a key may have leaked",
  revoke: "the last step, once everything was replaced",
};

export function showCommand(kind: Kind): Command {
  return {
    description: `Shows the ${NAMES[kind]} authorities: the one that signs, the next one, the one before.`,
    flags: [ADMIN_SOCKET],
    examples: [[`signet localauthority ${kind} show`, "their IDs, for the other commands"]],
    async run(input, output) {
      const { message, response } = await withServer(input, (channel) => ask(channel, kind));
      output.show(codecOf(message).toJson(response), () => formatStates(response));
    },
  };
}

export function verbCommand(kind: Kind, verb: Verb): Command {
  const takesId = verb !== "prepare";
  return {
    description: DESCRIPTIONS[verb],
    flags: [
      ...(takesId
        ? [
            {
              name: "authority-id",
              value: "<id>",
              description: `which one: 'signet localauthority ${kind} show' lists them`,
            },
          ]
        : []),
      ADMIN_SOCKET,
    ],
    examples: [
      [
        `signet localauthority ${kind} ${verb}${takesId ? " --authority-id 3f9a" : ""}`,
        EXAMPLES[verb],
      ],
    ],
    async run(input, output) {
      const authorityId = takesId ? required(input, "authorityId", "--authority-id") : "";
      const answer = await withServer(input, (channel) => act(channel, kind, verb, authorityId));
      const [state] = Object.values(answer.response) as (State | undefined)[];
      output.show(codecOf(answer.message).toJson(answer.response), () =>
        formatTable(["STATE", "AUTHORITY ID", "EXPIRES"], [rowOf(PAST[verb], state)]),
      );
    },
  };
}

const PAST = {
  prepare: "prepared",
  activate: "activated",
  taint: "tainted",
  revoke: "revoked",
} as const;

async function ask(channel: Channel, kind: Kind): Promise<Answer> {
  if (kind === "oauth") {
    return {
      message: "signet.oauth.v1.GetOAuthAuthorityStateResponse",
      response: await channel.client(OAuthAuthorityService).getOAuthAuthorityState({}),
    };
  }
  const client = channel.client(LocalAuthorityService);
  const name = NAMES[kind];
  return {
    message: `spire.api.server.localauthority.v1.Get${name}AuthorityStateResponse`,
    response: await client[`get${name}AuthorityState`]({}),
  };
}

async function act(channel: Channel, kind: Kind, verb: Verb, authorityId: string): Promise<Answer> {
  const request = { authorityId } as object;
  if (kind === "oauth") {
    const client = channel.client(OAuthAuthorityService);
    return {
      message: `signet.oauth.v1.${VERB_NAMES[verb]}OAuthAuthorityResponse`,
      response: await client[`${verb}OAuthAuthority`](request),
    };
  }
  const client = channel.client(LocalAuthorityService);
  const name = NAMES[kind];
  return {
    message: `spire.api.server.localauthority.v1.${VERB_NAMES[verb]}${name}AuthorityResponse`,
    response: await client[`${verb}${name}Authority`](request),
  };
}

function formatStates(response: object): string {
  const states = response as Readonly<Record<string, State | undefined>>;
  const rows = ["active", "prepared", "old"].map((name) => rowOf(name, states[name]));
  return formatTable(["STATE", "AUTHORITY ID", "EXPIRES"], rows);
}

function rowOf(name: string, state: State | undefined): string[] {
  return state === undefined
    ? [name, "-", "-"]
    : [name, state.authorityId, formatMoment(state.expiresAt)];
}
