import t from "tap";
import { bearerHeader } from "../../client/bearer.ts";
import { Status } from "../../pki/errors.ts";

t.test("a token travels as a bearer token", async (t) => {
  for (const target of [
    "https://a.test/x",
    new URL("https://a.test"),
    "unix:/run/x.sock",
    "wss://a.test",
    "grpcs://a.test:1",
  ]) {
    t.strictSame(bearerHeader("a.b.c", target), { authorization: "Bearer a.b.c" });
  }
});

t.test("a token is not sent in plain text", async (t) => {
  for (const target of [
    "http://a.test",
    "ws://a.test",
    "tcp://127.0.0.1:1",
    "a.test",
    "",
    "HTTP://a.test",
  ]) {
    t.throws(() => bearerHeader("a.b.c", target), {
      reason: "TRANSPORT_NOT_CONFIDENTIAL",
      code: Status.failedPrecondition,
    });
  }
});
