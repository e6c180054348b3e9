// Clients of the token issuer that mean harm, or keep no rules: what each costs is bounded, none gets anything,
// and others are served.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import t, { type Test } from "tap";
import { silentLogger } from "../../../runtime/log.ts";
import type { Answer } from "../../../server/documents/answer.ts";
import { startDocumentListener } from "../../../server/documents/listener.ts";
import { TestClock } from "../../support/clock.ts";
import { JWT_SPIFFE, TestOAuth, TOOL } from "../../support/test-oauth.ts";

t.test("refuses what is no form, or two forms in one", async (t) => {
  const oauth = await TestOAuth.start(t);
  const task = await oauth.open();
  const client_assertion = await oauth.jwt(task);
  const good = {
    grant_type: "client_credentials",
    resource: TOOL,
    client_assertion,
    client_assertion_type: JWT_SPIFFE,
  };
  const form = new URLSearchParams(good).toString();
  const type = (value: string) => ({ headers: { "content-type": value } });
  const rows: [string, () => Promise<{ status: number; body: object }>][] = [
    ["JSON", () => oauth.send("/token", JSON.stringify(good), type("application/json"))],
    ["no type", () => oauth.send("/token", form, type(""))],
    ["multipart", () => oauth.send("/token", form, type("multipart/form-data; boundary=x"))],
    [
      "another charset",
      () => oauth.send("/token", form, type("application/x-www-form-urlencoded; charset=utf-7")),
    ],
    ["the grant type twice", () => oauth.send("/token", `${form}&grant_type=client_credentials`)],
    ["two resources", () => oauth.send("/token", `${form}&resource=${encodeURIComponent(TOOL)}`)],
    ["two resources, one empty", () => oauth.send("/token", `${form}&resource=`)],
    [
      "two assertions, escaped otherwise",
      () => oauth.send("/token", `${form}&client%5fassertion=x`),
    ],
    ["parameters in the address", () => oauth.send(`/token?${form}`, form)],
    ["all of them in the address", () => oauth.send(`/token?${form}`, "")],
    ["nothing", () => oauth.send("/token", "")],
    ["a broken escape", () => oauth.send("/token", `${form}&x=%zz`)],
    ["a mark before the first name", () => oauth.send("/token", `\ufeff${form}`)],
    ["bytes that are no UTF-8", () => oauth.send("/token", Buffer.from([0xff, 0xfe]))],
    ["very many parameters", () => oauth.send("/token", `${form}&${"a=b&".repeat(40)}`)],
    ["an assertion of no type", () => oauth.post("/token", { ...good, client_assertion_type: "" })],
    [
      "an assertion of another type",
      () => oauth.post("/token", { ...good, client_assertion_type: "saml" }),
    ],
  ];
  for (const [name, ask] of rows) {
    const { status, body } = await ask();
    t.match(
      { status, body },
      { status: 400, body: { error: "invalid_request", reason: "OAUTH_REQUEST_INVALID" } },
      name,
    );
  }
  const withPassword = await oauth.post("/token", { ...good, client_secret: "x" });
  t.match(withPassword, { status: 401, body: { error: "invalid_client" } });
  const basic = await oauth.post("/token", good, { headers: { authorization: "Basic YTpi" } });
  t.match(basic, { status: 401, body: { error: "invalid_client" } });
  for (const grant_type of [
    "password",
    "refresh_token",
    "authorization_code",
    "__proto__",
    "urn:ietf:params:oauth:grant-type:token-exchange",
  ]) {
    t.match(await oauth.post("/token", { ...good, grant_type }), {
      status: 400,
      body: { error: "unsupported_grant_type" },
    });
  }
  t.equal(
    (await oauth.post("/token", { ...good, scope: "all", constructor: "x", __proto__: "y" }))
      .status,
    200,
    "what is not known is not looked at",
  );
  const { body } = await oauth.post("/token", { ...good, client_id: 'a"\\\r\n\u2028é' });
  t.match(
    String((body as { error_description: string }).error_description),
    /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
  );
});

t.test("takes nothing at other paths, by other methods, or packed", async (t) => {
  const oauth = await TestOAuth.start(t);
  const rows: [string, string, string, object, number][] = [
    ["GET", "/token", "", {}, 405],
    ["PUT", "/token", "a=b", {}, 405],
    ["DELETE", "/introspect", "", {}, 405],
    ["OPTIONS", "/token", "", { origin: "https://evil.test" }, 405],
    ["POST", "/jwks", "a=b", {}, 405],
    ["POST", "/.well-known/oauth-authorization-server", "a=b", {}, 405],
    ["POST", "/", "a=b", {}, 405],
    ["POST", "/token/", "a=b", {}, 405],
    ["POST", "/TOKEN", "a=b", {}, 405],
    ["POST", "//token", "a=b", {}, 405],
    ["POST", "/token", "a=b", { "content-encoding": "gzip" }, 415],
    ["POST", "/token", "a=b", { expect: "200-ok" }, 417],
    ["GET", "/keys", "", {}, 404],
  ];
  for (const [method, path, body, headers, status] of rows) {
    const answer = await oauth.send(path, body === "" ? undefined : body, {
      method,
      headers: headers as Record<string, string>,
    });
    t.equal(answer.status, status, `${method} ${path} ${JSON.stringify(headers)}`);
    t.notOk(answer.headers["access-control-allow-origin"]);
    t.notOk(answer.headers.location);
  }
  const { headers } = await oauth.send("/token", undefined, { method: "GET" });
  t.equal(headers.allow, "POST");
});

t.test("reads no more of a body than it may have", async (t) => {
  const oauth = await TestOAuth.start(t);
  t.equal((await oauth.send("/token", "x".repeat(65_537))).status, 413, "announced");
  const chunked = { "transfer-encoding": "chunked" };
  const answer = await oauth
    .send("/token", "x".repeat(65_537), { headers: chunked })
    .catch((error: Error) => error);
  // Whoever goes on sending may find the connection closed before the answer.
  t.ok(answer instanceof Error || answer.status === 413, "not announced");
  const nested = `[${'{"type":'.repeat(1000)}`;
  const task = await oauth.open();
  t.match(await oauth.token(task, { authorization_details: nested }), {
    body: { error: "invalid_authorization_details" },
  });
  t.match(await oauth.token(task, { client_id: "x".repeat(30_000) }), { status: 401 });
  t.equal((await oauth.token(task)).status, 200, "others are served");
});

/** A listener without TLS whose posts wait until they are told to go on. */
async function waiting(t: Test, maxAtOnce: number) {
  const clock = new TestClock();
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  let under = 0;
  const statuses: number[] = [];
  const ok: Answer = { status: 200, headers: {}, body: Buffer.from("done") };
  const listener = await startDocumentListener({
    name: "test",
    section: "test",
    address: "127.0.0.1",
    port: 0,
    find: () => undefined,
    posts: {
      has: (path) => path === "/token",
      answer: async () => {
        under++;
        await gate;
        return ok;
      },
      maxBodyBytes: 100,
      maxAtOnce,
    },
    onAnswer: (status) => void statuses.push(status),
    clock,
    log: silentLogger,
  });
  t.teardown(() => listener.stop());
  const dial = async (): Promise<Socket> => {
    const socket = connect(listener.address);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    t.teardown(() => socket.destroy());
    return socket;
  };
  return { listener, clock, dial, go: () => go(), under: () => under, statuses };
}

const HEAD = "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: a\r\nContent-Length: 3\r\n";

t.test("closes connections whose body does not come, and answers so many at once", async (t) => {
  const { clock, dial, go, under, listener } = await waiting(t, 2);
  const slow = await dial();
  slow.write(`${HEAD}\r\na`);
  const closed = once(slow, "close");
  while (listener.connections === 0) await new Promise(setImmediate);
  await clock.advance(10_000);
  await closed;
  t.equal(under(), 0, "never asked");
  const first = await dial();
  const second = await dial();
  const third = await dial();
  first.write(`${HEAD}\r\nabc`);
  second.write(`${HEAD}\r\nabc`);
  while (under() < 2) await new Promise(setImmediate);
  third.write(`${HEAD}\r\nabc`);
  const [refused] = (await once(third, "data")) as [Buffer];
  t.match(refused.toString(), /^HTTP\/1\.1 503 [\s\S]*retry-after: 1/i);
  go();
  t.match(String(((await once(first, "data")) as [Buffer])[0]), /^HTTP\/1\.1 200 /);
  t.match(String(((await once(second, "data")) as [Buffer])[0]), /^HTTP\/1\.1 200 /);
  const smuggled = await dial();
  const chunks: Buffer[] = [];
  smuggled.on("data", (chunk: Buffer) => chunks.push(chunk));
  smuggled.write(
    "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /token HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  await once(smuggled, "close");
  t.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 400 /, "two lengths");
});
