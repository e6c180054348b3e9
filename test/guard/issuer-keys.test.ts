// The keys of the issuer of access tokens: fetched when they are needed, not as often as somebody likes, and
// only from where the configuration says.

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { IssuerKeys } from "../../guard/issuer-keys.ts";
import { Status } from "../../pki/errors.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { formatJwks } from "../../pki/token/jwks.ts";
import { TestClock } from "../support/clock.ts";

const REFUSAL = { reason: "GUARD_ISSUER_UNREACHABLE", code: Status.unavailable };
const { spki } = generateP256KeyPair();

async function serve(
  t: Test,
  answer: RequestListener,
): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/jwks`, asked: () => asked };
}

t.test("a key that is not held is asked for, at most every few seconds", async (t) => {
  let published = ["a"];
  const { url, asked } = await serve(t, (_, response) =>
    response.end(formatJwks(published.map((keyId) => ({ keyId, spki })))),
  );
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const keys = new IssuerKeys({ url, clock });
  const idsOf = async (wanted: string): Promise<string[]> =>
    (await keys.find(wanted)).map(({ keyId }) => keyId);
  t.same(await Promise.all([idsOf("a"), idsOf("a")]), [["a"], ["a"]]);
  t.equal(asked(), 1, "those who ask together ask once");
  published = ["a", "b"];
  t.same(await idsOf("b"), ["a"], "a token cannot make it ask again at once");
  await clock.advance(5000);
  t.same(await idsOf("b"), ["a", "b"]);
  for (let i = 0; i < 20; i++) await idsOf(`made-up-${i}`);
  t.equal(asked(), 2);
  await clock.advance(5 * 60_000 + 1);
  published = ["b"];
  t.same(await idsOf("a"), ["b"], "one that was withdrawn is forgotten in minutes");
});

t.test("without the issuer its keys are good for an hour", async (t) => {
  let isAway = false;
  const { url } = await serve(t, (_, response) => {
    if (isAway) response.writeHead(500).end();
    else response.end(formatJwks([{ keyId: "a", spki }]));
  });
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const keys = new IssuerKeys({ url, clock });
  await keys.find("a");
  isAway = true;
  await clock.advance(59 * 60_000);
  t.equal((await keys.find("a")).length, 1);
  await clock.advance(2 * 60_000);
  await t.rejects(keys.find("a"), REFUSAL);
});

t.test("a clock that is set back keeps no old key in force", async (t) => {
  let published = "a";
  const { url } = await serve(t, (_, response) =>
    response.end(formatJwks([{ keyId: published, spki }])),
  );
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const keys = new IssuerKeys({ url, clock });
  await keys.find("a");
  published = "b";
  clock.step(-2 * 60 * 60_000);
  t.same(
    (await keys.find("a")).map(({ keyId }) => keyId),
    ["b"],
  );
});

t.test("an answer that is none gives no keys", async (t) => {
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const good = await serve(t, (_, response) => response.end(formatJwks([{ keyId: "a", spki }])));
  const rows: [string, RequestListener][] = [
    ["a redirect", (_, response) => response.writeHead(302, { location: good.url }).end()],
    ["no document", (_, response) => response.end("<html>")],
    ["a document without end", (_, response) => response.end("[".repeat(300_000))],
    ["nothing", (_, response) => response.destroy()],
  ];
  for (const [name, answer] of rows) {
    const { url } = await serve(t, answer);
    await t.rejects(new IssuerKeys({ url, clock }).find("a"), REFUSAL, name);
  }
  for (const url of [
    "http://id.example.org/jwks",
    "http://127.0.0.1.evil.test/jwks",
    "file:///etc/x",
  ]) {
    await t.rejects(new IssuerKeys({ url, clock }).find("a"), REFUSAL, url);
  }
  t.equal(good.asked(), 0);
});
