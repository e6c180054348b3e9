// The rows that bind our client library and need no Workload API: how its address is written
// (SPIFFE_Workload_Endpoint.md s4), and how a JWT-SVID is sent (JWT-SVID.md s5, s7.3).
import t from "tap";
import { bearerHeader } from "../../client/bearer.ts";
import { findEndpoint, parseEndpoint } from "../../client/endpoint.ts";
import { Status } from "../../pki/errors.ts";

const invalidEndpoint = { reason: "ENDPOINT_INVALID", code: Status.invalidArgument };

t.test("EP-09 the environment names the endpoint unless an explicit one is given", async (t) => {
  const environment = { SPIFFE_ENDPOINT_SOCKET: "unix:///env.sock" };
  t.strictSame(findEndpoint(undefined, environment), { unix: "/env.sock" });
  t.strictSame(findEndpoint("unix:///own.sock", environment), { unix: "/own.sock" });
  t.throws(() => findEndpoint(undefined, {}), { reason: "ENDPOINT_MISSING", code: 9 });
});

t.test("EP-10 an endpoint is a URI with scheme unix or tcp", async (t) => {
  t.ok(parseEndpoint("unix:///run/a.sock"));
  t.ok(parseEndpoint("tcp://127.0.0.1:1"));
  const others = ["http://127.0.0.1:1", "tls://127.0.0.1:1", "TCP://127.0.0.1:1", "tcp:x"];
  for (const address of [...others, "/run/a.sock", "a.sock", "word", "\t", "unix:///a\t", ""]) {
    t.throws(() => parseEndpoint(address), invalidEndpoint, address);
  }
});

t.test("EP-11 unix has an absolute path and nothing else", async (t) => {
  t.strictSame(parseEndpoint("unix:///run/agent.sock"), { unix: "/run/agent.sock" });
  for (const address of [
    "unix://run/agent.sock",
    "unix:rel.sock",
    "unix:///a?x",
    "unix:///a#x",
    "unix://",
    "unix://u:p@h/x",
    "unix:///",
  ]) {
    t.throws(() => parseEndpoint(address), invalidEndpoint, address);
  }
});

t.test("EP-12 tcp has an IP address and a port and nothing else", async (t) => {
  t.strictSame(parseEndpoint("tcp://127.0.0.1:7000"), { host: "127.0.0.1", port: 7000 });
  t.strictSame(parseEndpoint("tcp://[::1]:7000"), { host: "::1", port: 7000 });
  for (const rest of [
    "",
    "host",
    "localhost:7000",
    "fd00::1:7000",
    "10.0.0.9:0",
    "10.0.0.9:65536",
    "10.0.0.9",
    "10.0.0.9:81/",
    "10.0.0.9:81/p",
    "u@10.0.0.9:81",
    "10.0.0.9:81?q",
    "10.0.0.9:81#f",
    "10.0.0:81",
    "10.0.0.256:81",
    "10.0.0.9.1:81",
    "[10.0.0.9]:81",
    "[fd00:::1]:81",
  ]) {
    t.throws(() => parseEndpoint(`tcp://${rest}`), invalidEndpoint, rest);
  }
});

t.test("JWT-24 over HTTP a token travels in the Authorization header", async (t) => {
  t.strictSame(bearerHeader("a.b.c", "https://ledger.test/x"), { authorization: "Bearer a.b.c" });
  t.notMatch(JSON.stringify(bearerHeader("a.b.c", "https://ledger.test/x?y=1")), "ledger.test");
});

t.test(
  "JWT-25 over gRPC a token travels as the metadata authorization, in lower case",
  async (t) => {
    t.strictSame(Object.keys(bearerHeader("a.b.c", "grpcs://ledger.test")), ["authorization"]);
    t.strictSame(Object.keys(bearerHeader("a.b.c", "unix:/run/ledger.sock")), ["authorization"]);
  },
);

t.test("JWT-26 a token is sent over TLS or a local socket, never in plain text", async (t) => {
  t.ok(bearerHeader("a.b.c", "https://ledger.test"));
  t.ok(bearerHeader("a.b.c", "unix:///run/ledger.sock"));
  for (const scheme of ["http", "ws", "tcp", "grpc", "h2c", "ftp", "HTTP", "dns", "httpsx"]) {
    const target = `${scheme}://10.0.0.9:1`;
    t.throws(() => bearerHeader("a.b.c", target), {
      reason: "TRANSPORT_NOT_CONFIDENTIAL",
      code: Status.failedPrecondition,
    });
  }
});
