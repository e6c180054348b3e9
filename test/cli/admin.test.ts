import t from "tap";
import { protoError } from "../../proto/errors.ts";
import { AgentService, HealthService, LocalAuthorityService } from "../../proto/schema.gen.ts";
import { command, serveOnSocket } from "../support/command.ts";

const AGENT = "spiffe://a.test/spire/agent/join_token/x";

t.test("agents are listed, shown, banned and evicted", async (t) => {
  const calls: unknown[] = [];
  const id = { trustDomain: "a.test", path: "/spire/agent/join_token/x" };
  const path = await serveOnSocket(t, (server) =>
    server.add(AgentService, {
      listAgents: async ({ filter }) => {
        calls.push(filter);
        return {
          agents: [{ id, attestationType: "join_token", x509svidExpiresAt: 1_800_000_000 }],
        };
      },
      getAgent: async () => ({ id, banned: true }),
      banAgent: async (request) => {
        calls.push(request.id?.path);
        return {};
      },
      deleteAgent: async () => {
        throw protoError("OBJECT_NOT_FOUND", "no such agent", { hint: "list them" });
      },
    }),
  );
  const socket = ["--admin-socket", path];
  const listed = await command(
    ...[
      "agent",
      "list",
      "--banned",
      "false",
      "--expires-before",
      "2027-01-15T08:00:00Z",
      ...socket,
    ],
  );
  t.match(listed, { code: 0, out: /join_token\/x +join_token +2027-01-15T08:00:00Z/ });
  t.match(calls[0], {
    byBanned: { value: false },
    byCanReattest: undefined,
    byExpiresBefore: "2027-01-15 08:00:00 +0000 UTC",
  });
  t.match(await command("agent", "show", AGENT, ...socket), { code: 0, out: /Banned +yes/ });
  t.match(await command("agent", "ban", "-spiffeID", AGENT, ...socket), { code: 0 });
  t.equal(calls[1], "/spire/agent/join_token/x");
  t.match(await command("agent", "evict", AGENT, ...socket), {
    code: 1,
    err: "error: no such agent (OBJECT_NOT_FOUND)\nhint: list them\n",
  });
});

t.test("a token goes to standard output alone", async (t) => {
  let ttl = 0;
  const path = await serveOnSocket(t, (server) =>
    server.add(AgentService, {
      createJoinToken: async (request) => {
        ttl = request.ttl;
        return { value: "t-1", expiresAt: 1_800_000_000 };
      },
    }),
  );
  const people = await command("token", "generate", "--admin-socket", path);
  t.match(people, { code: 0, out: "t-1\n", err: /2027-01-15T08:00:00Z/ });
  t.equal(ttl, 600);
  const json = await command("token", "generate", "--output", "json", "--admin-socket", path);
  t.strictSame(JSON.parse(json.out), { value: "t-1", expiresAt: "1800000000" });
  t.equal(json.err, "");
});

t.test("authorities are shown and rotated, each kind by its own methods", async (t) => {
  const calls: string[] = [];
  const record = (name: string, id: string): void => void calls.push(`${name} ${id}`);
  const state = (authorityId: string) => ({ authorityId, expiresAt: 1_800_000_000 });
  const path = await serveOnSocket(t, (server) =>
    server.add(LocalAuthorityService, {
      getX509AuthorityState: async () => ({ active: state("x1"), old: state("x0") }),
      prepareJWTAuthority: async () => ({ preparedAuthority: state("j2") }),
      taintX509Authority: async ({ authorityId }) => {
        record("taint", authorityId);
        return { taintedAuthority: state(authorityId) };
      },
    }),
  );
  const socket = ["--admin-socket", path];
  const shown = await command("localauthority", "x509", "show", ...socket);
  t.match(shown.out, /active +x1 .*\nprepared +- +-\nold +x0/);
  t.match(await command("localauthority", "jwt", "prepare", ...socket), { out: /prepared +j2/ });
  const tainted = await command("localauthority", "x509", "taint", "-authorityID", "x0", ...socket);
  t.match(tainted, { code: 0, out: /tainted +x0/ });
  t.same(calls, ["taint x0"]);
  t.match(await command("localauthority", "x509", "revoke", ...socket), { code: 2 });
  t.match(await command("localauthority", "jwt", "activate", "--authority-id", "x", ...socket), {
    code: 1,
    err: /METHOD_UNIMPLEMENTED/,
  });
});

t.test("a health check has an exit code", async (t) => {
  let status = 1;
  const path = await serveOnSocket(t, (server) =>
    server.add(HealthService, { check: async () => ({ status }) }),
  );
  t.match(await command("server", "healthcheck", "--admin-socket", path), { code: 0 });
  t.match(await command("agent", "healthcheck", "--socket", `unix://${path}`), { code: 0 });
  status = 2;
  t.match(await command("agent", "healthcheck", "--socket", path), {
    code: 1,
    err: /DAEMON_UNHEALTHY/,
  });
});
