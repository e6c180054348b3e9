import t from "tap";
import { findEndpoint, parseEndpoint } from "../../client/endpoint.ts";
import { Status } from "../../pki/errors.ts";

const invalid = { reason: "ENDPOINT_INVALID", code: Status.invalidArgument };

t.test("reads unix and tcp addresses", async (t) => {
  t.strictSame(parseEndpoint("unix:///run/agent.sock"), { unix: "/run/agent.sock" });
  t.strictSame(parseEndpoint("unix:/run/agent.sock"), { unix: "/run/agent.sock" });
  t.strictSame(parseEndpoint("unix:///run/an%20agent.sock"), { unix: "/run/an agent.sock" });
  t.strictSame(parseEndpoint("tcp://127.0.0.1:7000"), { host: "127.0.0.1", port: 7000 });
  t.strictSame(parseEndpoint("tcp://[::1]:65535"), { host: "::1", port: 65535 });
});

const bad = [
  ...["", "\t", "x", "/run/a.sock", "http://127.0.0.1:1", "tls://127.0.0.1:1", "UNIX:///x"],
  ...["unix:", "unix:/", "unix://", "unix:///", "unix:x", "unix:rel.sock", "unix://run/a.sock"],
  ...["unix:///a?x", "unix:///a?", "unix:///a#x", "unix://u:p@h/x", "unix:///a b", "unix:///%"],
  ...["unix:///a%00", "unix:///\u00e9", `unix:///${"x".repeat(107)}`],
  ...["tcp:x", "tcp:127.0.0.1:1", "tcp://", "tcp://10.0.0.9", "tcp://localhost:1", "tcp://host:1"],
  ...["tcp://10.0.0.9:81/", "tcp://10.0.0.9:81/p", "tcp://10.0.0.9:81?q", "tcp://10.0.0.9:81#f"],
  ...["tcp://u:p@10.0.0.9:81", "tcp://10.0.0.9:0", "tcp://10.0.0.9:65536", "tcp://10.0.0.9:080"],
  ...["tcp://10.0.0:81", "tcp://10.0.0.256:81", "tcp://[::1:81", "tcp://[::1]", "tcp://::1:81"],
  ...["tcp://[fe80::1%eth0]:81", "tcp://10.0.0.9:81 ", " unix:///x", "tcp://010.0.0.9:81"],
];
for (const address of bad) {
  t.test(`refuses ${JSON.stringify(address)}`, async (t) => {
    t.throws(() => parseEndpoint(address), invalid);
  });
}

t.test("an explicit endpoint wins over the environment", async (t) => {
  const environment = { SPIFFE_ENDPOINT_SOCKET: "unix:///env.sock" };
  t.strictSame(findEndpoint(undefined, environment), { unix: "/env.sock" });
  t.strictSame(findEndpoint("unix:///own.sock", environment), { unix: "/own.sock" });
  t.strictSame(findEndpoint("unix:///own.sock", {}), { unix: "/own.sock" });
});

t.test("without any endpoint the error says what to set", async (t) => {
  const missing = {
    reason: "ENDPOINT_MISSING",
    code: Status.failedPrecondition,
    hint: /SPIFFE_ENDPOINT_SOCKET/,
  };
  for (const environment of [{}, { SPIFFE_ENDPOINT_SOCKET: "" }]) {
    t.throws(() => findEndpoint(undefined, environment), missing);
  }
  t.throws(() => findEndpoint("", { SPIFFE_ENDPOINT_SOCKET: "unix:///x" }), missing);
});
