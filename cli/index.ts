#!/usr/bin/env node
// The command `signet`: the table of its commands. Each lives in a file of its own, loaded when it is
// called, so that `signet agent run` never loads the server.

import { enableCompileCache } from "node:module";
import { join } from "node:path";
import type { Command, CommandRow } from "./command.ts";
import { readVersion } from "./package-version.ts";
import { runProgram } from "./program.ts";

/** What each group of commands is about. */
export const GROUPS: Readonly<Record<string, string>> = {
  server: "run and check the server",
  agent: "run a node agent; look after those of the server",
  entry: "registration entries: who gets which identity",
  "ai-agent": "AI agents: who owns each, and what its tasks may get",
  "task-class": "templates of tasks",
  token: "join tokens, with which node agents attest",
  task: "tasks: identities that end when the work ends",
  bundle: "what SVIDs are verified with",
  federation: "other trust domains whose bundles are fetched",
  svid: "revoke what was issued",
  audit: "what happened, in a log that can be verified",
  localauthority: "forced rotation of the keys that sign",
  "localauthority x509": "the X.509 authorities",
  "localauthority jwt": "the JWT authorities",
  "localauthority wit": "the WIT authorities (flag wit-svid)",
  "localauthority oauth": "the keys of access tokens",
  x509: "X509-SVIDs made by hand",
  jwt: "JWT-SVIDs made by hand",
  wit: "WIT-SVIDs made by hand",
  api: "what a workload gets that runs here",
  "api fetch": "fetch SVIDs",
};

/** The steps of a forced rotation, in their order. */
const ROTATION = [
  ["prepare", "make the next authority"],
  ["activate", "sign with the prepared authority"],
  ["taint", "have everything replaced that the old authority signed"],
  ["revoke", "trust the tainted authority no more"],
] as const;

/** Every command. */
export const ROWS: readonly CommandRow[] = [
  row("up", "server and agent together, for development", () => import("./up.ts")),
  row("run", "run a command under a name, with an identity of its own", () => import("./run.ts")),
  row("apply", "make what files declare so", () => import("./apply.ts")),
  row("version", "print the version, and the standards it follows", () => import("./version.ts")),
  row("task run", "run a command in a task of its own", () => import("./task-run.ts")),
  row("task list", "list tasks, a line each", () => import("./task-list.ts")),
  row("task show", "show tasks in full", () => import("./task-show.ts")),
  row("task create", "make a task that an AI agent claims", () => import("./task-create.ts")),
  {
    name: "task suspend",
    summary: "refuse a task's credentials for now",
    load: async () => (await import("./task-end.ts")).suspendCommand,
  },
  {
    name: "task unsuspend",
    summary: "let a suspended task go on",
    load: async () => (await import("./task-end.ts")).unsuspendCommand,
  },
  {
    name: "task revoke",
    summary: "end a task, and those that came from it",
    load: async () => (await import("./task-end.ts")).revokeCommand,
  },
  {
    name: "task complete",
    summary: "end a task as completed or failed",
    load: async () => (await import("./task-end.ts")).completeCommand,
  },
  row("server run", "run the server", () => import("./server-run.ts")),
  row("server validate", "check its configuration", () => import("./server-validate.ts")),
  row("server restored", "say that a backup was put back", () => import("./server-restored.ts")),
  {
    name: "server healthcheck",
    summary: "ask whether it works",
    load: async () => (await import("./healthcheck.ts")).serverCommand,
  },
  row("agent run", "run the node agent", () => import("./agent-run.ts")),
  row("agent validate", "check its configuration", () => import("./agent-validate.ts")),
  {
    name: "agent healthcheck",
    summary: "ask whether it works",
    load: async () => (await import("./healthcheck.ts")).agentCommand,
  },
  row("agent list", "list the agents of the server", () => import("./agent-list.ts")),
  row("agent show", "show one agent", () => import("./agent-show.ts")),
  row("agent ban", "end and refuse an agent", () => import("./agent-ban.ts")),
  row("agent evict", "remove an agent; it has to attest again", () => import("./agent-evict.ts")),
  row("entry create", "register who gets which identity", () => import("./entry-create.ts")),
  row("entry update", "change what is given", () => import("./entry-update.ts")),
  row("entry show", "show entries in full", () => import("./entry-show.ts")),
  row("entry list", "list entries, a line each", () => import("./entry-list.ts")),
  row("entry count", "count entries", () => import("./entry-count.ts")),
  row("entry delete", "delete entries", () => import("./entry-delete.ts")),
  row("entry owners", "list whose they are", () => import("./entry-owners.ts")),
  row("ai-agent create", "register an AI agent", () => import("./ai-agent-create.ts")),
  row("ai-agent update", "change what is given", () => import("./ai-agent-update.ts")),
  row("ai-agent show", "show one", () => import("./ai-agent-show.ts")),
  row("ai-agent list", "list them, a line each", () => import("./ai-agent-list.ts")),
  {
    name: "ai-agent disable",
    summary: "end its tasks, and issue it nothing",
    load: async () => (await import("./ai-agent-state.ts")).disableCommand,
  },
  {
    name: "ai-agent enable",
    summary: "let a disabled one go on",
    load: async () => (await import("./ai-agent-state.ts")).enableCommand,
  },
  {
    name: "ai-agent delete",
    summary: "end and delete one",
    load: async () => (await import("./ai-agent-state.ts")).deleteCommand,
  },
  row("task-class set", "make or change a class", () => import("./task-class-set.ts")),
  {
    name: "task-class show",
    summary: "show one",
    load: async () => (await import("./task-class-show.ts")).showCommand,
  },
  {
    name: "task-class list",
    summary: "list them, a line each",
    load: async () => (await import("./task-class-show.ts")).listCommand,
  },
  {
    name: "task-class delete",
    summary: "delete a class",
    load: async () => (await import("./task-class-show.ts")).deleteCommand,
  },
  row("token generate", "make a join token", () => import("./token-generate.ts")),
  row("bundle show", "print the own bundle", () => import("./bundle-show.ts")),
  row("bundle list", "print federated bundles", () => import("./bundle-list.ts")),
  row("bundle set", "store another trust domain's bundle", () => import("./bundle-set.ts")),
  row("bundle delete", "delete another one's bundle", () => import("./bundle-delete.ts")),
  row("bundle count", "count bundles", () => import("./bundle-count.ts")),
  row("federation create", "fetch another one's bundle", () => import("./federation-create.ts")),
  row("federation update", "change where it is fetched", () => import("./federation-update.ts")),
  row("federation show", "show how one fares", () => import("./federation-show.ts")),
  row("federation list", "list them, a line each", () => import("./federation-list.ts")),
  row("federation refresh", "fetch a bundle now", () => import("./federation-refresh.ts")),
  row("federation delete", "end the federation", () => import("./federation-delete.ts")),
  row("svid revoke", "revoke SVIDs before they expire", () => import("./svid-revoke.ts")),
  row("svid revocations", "list what is revoked", () => import("./svid-revocations.ts")),
  row("svid release", "issue to a holder again", () => import("./svid-release.ts")),
  ...(["x509", "jwt", "wit", "oauth"] as const).flatMap((kind) => [
    {
      name: `localauthority ${kind} show`,
      summary: "show the authorities",
      load: async () => (await import("./localauthority.ts")).showCommand(kind),
    },
    ...ROTATION.map(([verb, summary]) => ({
      name: `localauthority ${kind} ${verb}`,
      summary,
      load: async () => (await import("./localauthority.ts")).verbCommand(kind, verb),
    })),
  ]),
  row("x509 mint", "make an X509-SVID", () => import("./x509-mint.ts")),
  row("jwt mint", "make a JWT-SVID", () => import("./jwt-mint.ts")),
  row("wit mint", "make a WIT-SVID", () => import("./wit-mint.ts")),
  row("audit verify", "verify the audit log, offline", () => import("./audit-verify.ts")),
  row("audit tail", "the newest events", () => import("./audit-tail.ts")),
  row("audit tree", "what happened in a task", () => import("./audit-tree.ts")),
  row("audit proof", "prove that an event is in the log", () => import("./audit-proof.ts")),
  row("audit key", "the key that checkpoints are verified with", () => import("./audit-key.ts")),
  row("api fetch x509", "fetch X509-SVIDs", () => import("./api-fetch-x509.ts")),
  row("api fetch jwt", "fetch JWT-SVIDs", () => import("./api-fetch-jwt.ts")),
  row("api fetch wit", "fetch WIT-SVIDs", () => import("./api-fetch-wit.ts")),
  row("api validate", "validate a JWT-SVID", () => import("./api-validate.ts")),
];

function row(
  name: string,
  summary: string,
  load: () => Promise<{ readonly command: Command }>,
): CommandRow {
  return { name, summary, load: async () => (await load()).command };
}

if (import.meta.main) {
  // In a checkout half of a start is stripping types. What is kept lies beside the sources: whoever can
  // write there can change the program anyway.
  if (import.meta.filename.endsWith(".ts")) {
    enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/signet"));
  }
  process.exitCode = await runProgram(process.argv.slice(2), {
    rows: ROWS,
    groups: GROUPS,
    version: readVersion(),
  });
}
