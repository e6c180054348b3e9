// Files for `signet apply`: what is accepted goes over the wire unchanged, and what the server's readers make of it
// is what was declared.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDeclared } from "../../../cli/declared-files.ts";
import type { DeclaredWire } from "../../../cli/declared-schema.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { codecOf } from "../../../proto/schema.gen.ts";
import { readAiAgent } from "../../../server/registry/ai-agent-draft.ts";
import { readTaskClass } from "../../../server/registry/task-class-draft.ts";
import { doneOrRefused } from "../signed-token.ts";
import { bytesOf, type FuzzTarget, holds } from "../target.ts";

const trustDomain = TrustDomain.parse("north.test");
const ENTRY = codecOf("signet.registry.v1.DeclaredEntry");
const AGENT = codecOf("signet.registry.v1.AiAgent");
const CLASS = codecOf("signet.registry.v1.TaskClass");

const entry = `apiVersion: signet/v1
kind: Entry
metadata: { owner: team:a, labels: { app: db } }
spec:
  spiffe_id: spiffe://north.test/db
  parent_id: spiffe://north.test/node
  selectors: ["unix:uid:1000"]
  ttl: 1h
  expires_at: 2031-01-31T12:00:00Z
`;
const agent = `apiVersion: signet/v1
kind: AiAgent
metadata: { owner: team:a }
spec:
  spiffe_id: spiffe://north.test/agent/researcher
  purpose: answers questions
  environment: production
  valid_until: 2031-01-31
  ceiling: &ceiling
    locations: [https://mcp.north.test/tickets]
    actions: ["tools/read/*"]
    datatypes: any
    uses: 5
    until: 2031-01-31T12:00:00+02:00
    environment: production
  task_classes: [standard]
`;
const taskClass = `---
apiVersion: signet/v1
kind: TaskClass
spec:
  name: nightly
  maximum: { actions: ["http/**"], locations: any }
  max_ttl: 2h
  idle_timeout: 0s
  reactions: { mandate-exceeded: suspend }
---
`;

export const declared: FuzzTarget = {
  name: "declared",
  reads: "YAML files for signet apply",
  maxBytes: 2048,
  seeds: () =>
    [
      entry,
      agent,
      taskClass,
      `${entry}---\n${agent}`,
      "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nkind: [*c, *c]\n",
      "<<: { kind: Entry }\n? [a]\n: !!binary aGk=\n",
    ].map(bytesOf),
  async run(data) {
    const folder = mkdtempSync(join(tmpdir(), "signet-fuzz-"));
    try {
      const path = join(folder, "declared.yaml");
      writeFileSync(path, data);
      const objects = await doneOrRefused(readDeclared([path]));
      for (const { declared, place } of objects ?? []) {
        holds(/:\d+$/.test(place), "no place");
        overTheWire(declared);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

function overTheWire({ kind, wire }: DeclaredWire): void {
  if (kind === "entry") {
    const bytes = ENTRY.encode(wire);
    const { entry } = ENTRY.decode(bytes);
    const { x509SvidTtl, jwtSvidTtl, expiresAt } = entry ?? {};
    const asked = wire.entry;
    holds(x509SvidTtl === asked?.x509SvidTtl, "a lifetime changes on the wire");
    holds(jwtSvidTtl === asked?.jwtSvidTtl, "a lifetime changes on the wire");
    holds(expiresAt === asked?.expiresAt, "a moment changes on the wire");
  } else if (kind === "ai-agent") {
    const read = AGENT.decode(AGENT.encode(wire));
    holds(read.validUntil === wire.validUntil, "a moment changes on the wire");
    holds(read.maxOpenTasks === wire.maxOpenTasks, "a number changes on the wire");
    holds(sameNames(read.labels, wire.labels), "labels change on the wire");
    holds(readAiAgent(read, trustDomain).faults.length >= 0, "no answer");
  } else {
    const read = CLASS.decode(CLASS.encode(wire));
    const names = ["defaultTtlSeconds", "maxTtlSeconds", "idleTimeoutSeconds", "maxDepth"] as const;
    for (const name of names) holds(read[name] === wire[name], `${name} changes on the wire`);
    holds(sameNames(read.labels, wire.labels), "labels change on the wire");
    holds(sameNames(read.reactions, wire.reactions), "reactions change on the wire");
    holds(readTaskClass(read).faults.length >= 0, "no answer");
  }
}

function sameNames(read: object, written: object = {}): boolean {
  const sorted = (names: object): string => JSON.stringify(Object.entries(names).sort());
  return sorted(read) === sorted(written);
}
