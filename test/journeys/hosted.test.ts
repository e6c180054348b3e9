// One process that runs several AI agents: a server and a node agent, processes of their own, a host that is
// declared with those it may host, and what its tasks show. They end with their host.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { openTask } from "../../client/tasks/open.ts";
import { X509Source } from "../../client/x509-source.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import { GuardService } from "../../proto/schema.gen.ts";
import { signet } from "../support/signet.ts";
import { TaskSite } from "../support/task-site.ts";

const CLI = new URL("../../cli/index.ts", import.meta.url).pathname;
const HOST = "spiffe://north.test/agent/host";
const TRIAGE = "spiffe://north.test/crew/triage";
const WRITER = "spiffe://north.test/crew/writer";
const LOCATION = "https://mcp.north.test/tickets";

function aiAgentOf(id: string, more: string): string {
  return `apiVersion: signet/v1
kind: AiAgent
metadata: { owner: "team:crew" }
spec:
  spiffe_id: ${id}
  purpose: tests
  environment: test
  valid_until: 2099-01-01
  task_classes: [standard, sensitive]
  ceiling: { locations: ["${LOCATION}"], actions: [tools/**] }
  ${more}
---
`;
}

t.test("one process, several AI agents", { timeout: 180_000 }, async (t) => {
  const site = await TaskSite.start();
  t.teardown(() => site.stop());
  const { endpoint } = site;
  const declared = join(site.dir, "crew.yaml");
  const entry = `apiVersion: signet/v1
kind: Entry
spec:
  spiffe_id: ${HOST}
  parent_id: ${site.agentId}
  selectors: ["unix:uid:${process.getuid?.()}"]
`;
  writeFileSync(
    declared,
    aiAgentOf(HOST, "may_host: [spiffe://north.test/crew/*]") +
      aiAgentOf(TRIAGE, "") +
      aiAgentOf(WRITER, "") +
      entry,
  );
  t.match(await site.admin("apply", "-f", declared), /may_host/);
  t.match(
    await site.admin("ai-agent", "show", TRIAGE),
    /Entries +none: its tasks are its hosts' to open\n.*Hosted by +spiffe:\/\/north.test\/agent\/host/s,
  );

  // Waits until the node agent has heard of it.
  const source = await X509Source.start({ endpoint });
  t.teardown(() => source.close());
  t.equal(source.svid().id.toString(), HOST, "the ordinary socket knows of no hosted one");

  await t.test("a command runs in a task of a hosted one, and sees nothing else", async (t) => {
    const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: endpoint };
    const { status, stdout, stderr } = await signet(
      [
        ...["task", "run", "--class", "standard", "--purpose", "a test", "--ai-agent", WRITER],
        ...["--", process.execPath, CLI, "api", "fetch", "x509"],
      ],
      { env },
    );
    t.equal(status, 0, stderr);
    t.match(stdout, /SPIFFE ID +spiffe:\/\/north.test\/crew\/writer\/task\//);
    t.notMatch(stdout, HOST);
  });

  await t.test("each has tasks of its own, which say that a host holds them", async (t) => {
    const request = { endpoint, taskClass: "standard", purpose: "a test" };
    const triage = await openTask({ ...request, aiAgent: TRIAGE });
    const writer = await openTask({ ...request, aiAgent: WRITER });
    const own = await openTask({ ...request, aiAgent: HOST });
    t.teardown(() => [triage, writer, own].map((task) => task.close()));
    t.match(triage.spiffeId.toString(), /^spiffe:\/\/north.test\/crew\/triage\/task\//);
    t.match(triage.info, { assurance: "host-asserted", host: HOST, openedBy: HOST });
    t.match(own.info, { assurance: "process-attested", host: "" });
    const keys = [triage, writer, own].map(({ x509 }) => x509.svid().leaf.spki);
    t.equal(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size, 3);
    const { token } = await writer.jwtSvid(LOCATION);
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    t.match(claims, {
      sub: writer.spiffeId.toString(),
      "spiffe://north.test/task": { agent: WRITER, assurance: "host-asserted", host: HOST },
    });
    t.match(
      await site.admin("task", "show", triage.id),
      /Assurance +host-asserted, by spiffe:.*host/,
    );
    await t.rejects(
      openTask({ ...request, taskClass: "sensitive", aiAgent: TRIAGE }),
      { name: "IdentityError", reason: "TASK_CLASS_NOT_ALLOWED" },
      "a class that wants attested processes",
    );
    await t.rejects(openTask({ ...request, aiAgent: "spiffe://north.test/agent/boss" }), {
      name: "IdentityError",
      reason: "AI_AGENT_NOT_HOSTED",
    });
    const attempts = ["audit", "tail", "--stream", "escalation", "--output", "json"];
    t.match(await site.admin(...attempts), /hosting-not-allowed/, "and is on record by then");
    const channel = createChannel({
      address: { unix: site.agentSocket },
      metadata: { "workload.spiffe.io": "true" },
    });
    t.teardown(() => channel.close());
    const { task } = await channel.client(GuardService).describeTask({
      id: triage.spiffeId.toString(),
      shown: triage.x509.svid().leaf.der,
    });
    t.match(task, { assurance: "host-asserted", host: HOST }, "a guard hears of it");

    await writer.complete();
    t.equal(triage.state, "ACTIVE", "each ends by itself");
    await site.stopAgent();
    await site.startAgent();
    await triage.jwtSvid(`${LOCATION}`);
    t.equal(triage.state, "ACTIVE", "a restart of the node agent ends none");

    await site.admin("ai-agent", "disable", HOST, "--reason", "misbehaves");
    t.match(await triage.ended, {
      state: "REVOKED",
      reason: /the AI agent that hosts it was disabled: misbehaves/,
    });
    t.match(await own.ended, { state: "REVOKED" });
    await t.rejects(openTask({ ...request, aiAgent: TRIAGE }), {
      name: "IdentityError",
      reason: "AI_AGENT_DISABLED",
    });
  });
});
