// WIT-SVIDs of tasks in the whole product: an AI agent calls a guarded service with one, and a command in a task
// finds one on its socket; jose, which nobody here wrote, reads them with the bundle. Then the task ends.

import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { compactVerify, createLocalJWKSet, importJWK, type JWK, jwtVerify } from "jose";
import t from "tap";
import {
  authorizeMemberOf,
  httpsAgent,
  openTask,
  presentWit,
  serverTlsOptions,
  type TlsSource,
} from "../../client/index.ts";
import { createGuard, guardHttp, protect } from "../../guard/index.ts";
import { fetchOver } from "../support/fetch-over.ts";
import { freePort } from "../support/listening.ts";
import { signet, startUp } from "../support/signet.ts";
import { eventually } from "../support/trust-domain.ts";

const RESOURCE = "https://tickets.north.test/api";
const AGENT = "spiffe://north.test/agent/researcher";

t.test("an AI agent uses an HTTP service with the WIT-SVID of its task", async (t) => {
  t.comment("1. server and node agent with WIT-SVIDs; a service and an AI agent are registered");
  const port = await freePort();
  const flags = ["--feature-flag", "wit-svid", "--oauth-port", String(port)];
  const up = await startUp("north.test", flags);
  t.teardown(() => up.stop());
  const node = ["--parent-id", "spiffe://north.test/node"];
  const uid = ["--selector", `unix:uid:${process.getuid?.()}`];
  await up.admin("entry", "create", "--spiffe-id", "spiffe://north.test/tickets", ...node, ...uid);
  await up.admin(
    ...["ai-agent", "create", AGENT, "--owner", "team:support", "--purpose", "answers tickets"],
    ...["--environment", "test", "--until", "1d", "--task-class", "standard"],
    ...["--location", RESOURCE, "--action", "http/get/**", ...node, ...uid],
  );

  t.comment("2. the service is behind the guard");
  const endpoint = `unix://${up.agentSocket}`;
  const guard = await createGuard({ resource: RESOURCE, endpoint });
  t.teardown(() => guard.close());
  const handle = guardHttp(guard);
  const service = createServer(serverTlsOptions(), (request, response) =>
    handle(request, response, () => response.end("the printer is on fire")),
  );
  const server = protect(guard, service).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port: servicePort } = server.address() as AddressInfo;
  const nobody: TlsSource = {
    svid: () => undefined,
    anchorsOf: guard.source.anchorsOf,
    onChange: () => () => {},
  };
  const agent = httpsAgent({ source: nobody, authorize: authorizeMemberOf("north.test") });
  t.teardown(() => agent.destroy());
  const send = async (
    headers: Readonly<Record<string, string>>,
    method = "GET",
  ): Promise<{ status: number; text: string }> => {
    const fetch = fetchOver(agent, () => headers);
    const response = await fetch(`https://127.0.0.1:${servicePort}/api/tickets/42`, { method });
    return { status: response.status, text: await response.text() };
  };

  t.comment(
    "3. the AI agent opens a task, and calls with its WIT-SVID and a proof for each request",
  );
  const task = await openTask({ endpoint, aiAgent: AGENT, taskClass: "standard", purpose: "42" });
  t.teardown(() => task.close());
  const url = "https://tickets.north.test/api/tickets/42";
  const fieldsFor = async (method = "GET"): Promise<Record<string, string>> =>
    presentWit({ svid: await task.witSvid(), method, url });
  t.match(await send(await fieldsFor()), { status: 200, text: "the printer is on fire" });
  t.match(await send(await fieldsFor("DELETE"), "DELETE"), { status: 403 });
  const signed = presentWit({
    svid: await task.witSvid(),
    method: "GET",
    url,
    proof: "http-signature",
  });
  t.match(await send(signed), { status: 200 }, "a signed request does as well");

  t.comment("4. as a bearer token it is refused, and that is on record");
  const svid = await task.witSvid();
  t.match(await send({ authorization: `Bearer ${svid.token}` }), { status: 401 });

  t.comment(
    "5. jose reads it with the bundle: token, claims, and the proof by the key that it names",
  );
  const bundle = JSON.parse(await up.admin("bundle", "show", "--format", "spiffe"));
  const witKeys = (bundle.keys as JWK[]).filter(({ use }) => use === "wit-svid");
  // The use is SPIFFE's own word, which jose does not know.
  const keys = createLocalJWKSet({ keys: witKeys.map(({ use: _, ...key }) => key) });
  const { payload, protectedHeader } = await jwtVerify(svid.token, keys, { typ: "wit+jwt" });
  t.match(protectedHeader, { alg: "ES256", kid: String });
  const issuer = `http://127.0.0.1:${port}`;
  t.match(payload, {
    sub: task.spiffeId.toString(),
    status: { status_list: { idx: Number, uri: new RegExp(`^${issuer}/status/`) } },
    [`${issuer}/task`]: { id: task.spiffeId.toString(), agent: AGENT, class: "standard" },
  });
  t.ok(Number(payload.exp) - Number(payload.iat) <= 300);
  t.equal(payload.aud, undefined);
  const confirmation = (payload["cnf"] as { jwk: JWK }).jwk;
  const { [`workload-proof-token`]: proof = "" } = await fieldsFor();
  const checked = await compactVerify(proof, await importJWK(confirmation));
  t.equal(checked.protectedHeader.typ, "wpt+jwt");
  t.match(JSON.parse(Buffer.from(checked.payload).toString()), { aud: url });

  t.comment("6. a command in a task finds the task's WIT-SVID on its socket");
  const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: endpoint };
  const fetched = await signet(
    [
      ...["task", "run", "--ai-agent", AGENT, "--class", "standard", "--purpose", "42", "--"],
      ...["env", "-u", "NODE_OPTIONS", process.execPath],
      ...[new URL("../../cli/index.ts", import.meta.url).pathname],
      ...["api", "fetch", "wit", "--output", "json"],
    ],
    { env },
  );
  t.equal(fetched.status, 0, fetched.stderr);
  const { svids } = JSON.parse(fetched.stdout);
  t.equal(svids.length, 1);
  const ofRun = await jwtVerify(svids[0].witSvid, keys, { typ: "wit+jwt" });
  t.match(ofRun.payload, { sub: new RegExp(`^${AGENT}/task/`) });
  t.not(ofRun.payload.sub, payload.sub);

  t.comment("7. the task is done: its WIT-SVID is good by its times, and refused");
  const late = await fieldsFor();
  await task.complete();
  await eventually(async () => {
    const { status, text } = await send(presentWit({ svid, method: "GET", url }));
    if (status !== 401 || !text.includes("TASK_ENDED")) throw new Error(`${status} ${text}`);
  });
  t.match(await send(late), { status: 401 });
  t.ok(svid.expiresAt > new Date());
  await t.rejects(task.witSvid(), { name: "IdentityError", reason: "TASK_ENDED" });
  const list = await fetch(String((payload["status"] as never)["status_list"]["uri"]));
  t.equal(list.status, 200, "and everybody can ask");

  t.comment("8. the audit log has it all");
  const tail = (): Promise<string> =>
    up.admin("audit", "tail", "--last", "500", "--output", "json");
  await eventually(async () => {
    const log = await tail();
    for (const part of ["escalation.used-after-end", "escalation.token-kind-confused"]) {
      if (!log.includes(part)) throw new Error(`no ${part}`);
    }
  });
  const log = await tail();
  for (const part of ["wit-svid.issued", '"kind": "wit-svid"', "http.called"]) t.match(log, part);
  t.notMatch(log, svid.token);
});
