// What the agent's socket serves, read by SPIFFE clients that nobody here wrote: go-spiffe, py-spiffe.
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import t from "tap";
import {
  authorizeId,
  peerOf,
  protectServer,
  serverTlsOptions,
  X509Source,
} from "../../client/index.ts";
import { run, startUp } from "../support/signet.ts";
import { registerSelf } from "./material.ts";
import { buildDir, goReader, pythonReader } from "./readers.ts";

t.test("SPIFFE clients of other languages", async (t) => {
  const dir = buildDir(t);
  const go = goReader(dir);
  const [python, script] = pythonReader(dir);
  const up = await startUp();
  t.teardown(() => up.stop());
  const first = await registerSelf(up, "/first", "--hint", "main");
  const second = await registerSelf(up, "/second");

  await t.test("go-spiffe fetches, parses and validates everything", async (t) => {
    const result = await run(go, ["workload", "-socket", up.agentSocket]);
    t.equal(result.status, 0, result.stderr);
    const read = JSON.parse(result.stdout) as { ids: string[]; hints: string[]; jwtIds: string[] };
    t.same(read.ids, [first, second]);
    t.same(read.hints, ["main", ""]);
    t.same(read.jwtIds.toSorted(), [first, second]);
  });

  await t.test(
    "py-spiffe fetches, parses and validates everything, with its sources too",
    async (t) => {
      const result = await run(python, [script, up.agentSocket, "ledger"]);
      t.equal(result.status, 0, result.stderr);
      const read = JSON.parse(result.stdout) as {
        ids: string[];
        jwtIds: string[];
        sourceId: string;
        jwtKeys: number;
      };
      t.same(read.ids, [first, second]);
      t.same(read.jwtIds.toSorted(), [first, second]);
      t.equal(read.sourceId, first, "the default identity is the oldest");
      t.ok(read.jwtKeys > 0);
    },
  );

  await t.test(
    "a go-spiffe client that waits gets an identity as soon as it is registered",
    async (t) => {
      const waiting = run(go, [
        "watch",
        "-socket",
        up.agentSocket,
        "-id",
        "spiffe://north.test/third",
      ]);
      await registerSelf(up, "/third");
      const result = await waiting;
      t.equal(result.status, 0, result.stderr);
    },
  );

  await t.test("go-spiffe serves and calls over mTLS with what it was given", async (t) => {
    const result = await run(go, ["mtls", "-socket", up.agentSocket, "-id", first]);
    t.equal(result.status, 0, result.stderr);
  });

  await t.test(
    "a go-spiffe client calls a server of our client library, and is refused elsewhere",
    async (t) => {
      const source = await X509Source.start({ endpoint: `unix://${up.agentSocket}` });
      const serve = async (peer: string): Promise<string> => {
        const server = createServer(serverTlsOptions(), (request, response) => {
          response.end(String(peerOf(request.socket)?.id));
        });
        protectServer(server, { source, authorize: authorizeId(peer) });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        t.teardown(() => server.close());
        return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      };
      t.teardown(() => source.close());
      const open = await serve(first);
      const closed = await serve("spiffe://north.test/somebody-else");
      const call = (url: string, id: string) =>
        run(go, ["mtls", "-socket", up.agentSocket, "-id", id, "-url", url]);
      const good = await call(open, first);
      t.equal(good.status, 0, good.stderr);
      t.match(JSON.parse(good.stdout), { status: 200, body: first });
      t.not(
        (await call(closed, first)).status,
        0,
        "our server refuses an ID it does not authorise",
      );
      const wrong = await call(open, "spiffe://north.test/other-server");
      t.match(wrong.stderr, /unexpected ID/, "go-spiffe sees who our server is");
    },
  );

  await t.test(
    "messages with revocation lists are parsed by go-spiffe and py-spiffe",
    async (t) => {
      const source = await X509Source.start({ endpoint: `unix://${up.agentSocket}` });
      t.teardown(() => source.close());
      const listed = new Promise<void>((resolve) => {
        const stop = source.onChange(() => {
          if (source.crls() === undefined) return;
          stop();
          resolve();
        });
      });
      await up.admin("svid", "revoke", "--serial", source.svid().leaf.serialHex, "--replace");
      await listed;
      for (const [program, ...args] of [
        [go, "workload", "-socket", up.agentSocket],
        [python, script, up.agentSocket, "ledger"],
      ] as const) {
        const result = await run(program, args);
        t.equal(result.status, 0, result.stderr);
        t.ok((JSON.parse(result.stdout) as { ids: string[] }).ids.includes(first));
      }
    },
  );
});
