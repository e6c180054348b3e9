// What is done at a tool, in the words of mandates: every name has one spelling, and none can pass for another.

import t from "tap";
import {
  httpAction,
  otherAction,
  promptAction,
  recordedAs,
  resourceAction,
  toolAction,
} from "../../guard/actions.ts";
import { Status } from "../../pki/errors.ts";
import { isAction } from "../../policy/action-pattern.ts";

t.test("names become segments", async (t) => {
  const rows: [string, string][] = [
    [toolAction("read_ticket", true), "tools/read/read_ticket"],
    [toolAction("read_ticket", false), "tools/write/read_ticket"],
    [toolAction("a/b", true), "tools/read/a%2Fb"],
    [toolAction("*", true), "tools/read/%2A"],
    [toolAction("..", true), "tools/read/%2E%2E"],
    [toolAction("größe", true), "tools/read/gr%C3%B6%C3%9Fe"],
    [promptAction("sum up"), "prompts/get/sum%20up"],
    [resourceAction("FILE:///etc/passwd"), "resources/read/file"],
    [resourceAction("ticket://{id}"), "resources/read/ticket"],
    [otherAction("mcp", "sampling/createMessage"), "mcp/sampling/createMessage"],
    [httpAction("GET", "/tickets/7?x=/y"), "http/get/tickets/7"],
    [httpAction("GET", "/"), "http/get"],
    [httpAction("GET", "/a/"), "http/get/a"],
    [httpAction("GET", "/100%25/a;b"), "http/get/100%25/a%3Bb"],
    [httpAction("PATCH", "/caf%c3%a9/%2A"), "http/patch/caf%C3%A9/%2A"],
  ];
  for (const [action, expected] of rows) {
    t.equal(action, expected);
    t.ok(isAction(action), `${action} is a concrete action`);
  }
});

t.test("what is no name is refused", async (t) => {
  const refusal = { reason: "ACTION_INVALID", code: Status.invalidArgument };
  const calls: [string, () => string][] = [
    ["no tool", () => toolAction("", true)],
    ["half a character", () => toolAction("\ud800", true)],
    ["a resource without a scheme", () => resourceAction("/etc/passwd")],
    ["an empty part of a method", () => otherAction("mcp", "a//b")],
    ["an empty segment", () => httpAction("GET", "/a//b")],
    ["a directory above", () => httpAction("GET", "/a/%2E%2e/b")],
    ["an encoded slash", () => httpAction("GET", "/a%2fb")],
    ["no UTF-8", () => httpAction("GET", "/%ff")],
    ["dots with a parameter", () => httpAction("GET", "/a/..;x=1/b")],
    ["nothing with a parameter", () => httpAction("GET", "/a/;x/b")],
    ["dots and a space", () => httpAction("GET", "/a/..%20/b")],
    ["dots that a second server decodes", () => httpAction("GET", "/a/%252e%252E/b")],
    ["a slash that a second server decodes", () => httpAction("GET", "/a/b%252fc")],
    ["a fragment, which some servers read on in", () => httpAction("GET", "/a#/../b")],
    ["an alphabet that nobody named", () => httpAction("GET", "/caf\u00c3\u00a9")],
    ["a space", () => httpAction("GET", "/a b")],
    ["no method", () => httpAction("", "/a")],
    ["a method that is none", () => httpAction("G\u00a5T", "/a")],
    ["a method that some take for GET", () => httpAction("GeT", "/a")],
  ];
  for (const [name, call] of calls) t.throws(call, refusal, name);
});

t.test("no two tools share an action", async (t) => {
  const names = [
    "a",
    "A",
    "a ",
    " a",
    "a/b",
    "a%2Fb",
    "a%2fb",
    "%61",
    ".",
    "..",
    "*",
    "**",
    "a\u0000",
  ];
  t.equal(new Set(names.map((name) => toolAction(name, true))).size, names.length);
});

t.test("calls go to the stream of their kind", async (t) => {
  t.equal(recordedAs("tools/read/x").stream, "tool_call");
  t.equal(recordedAs("http/get/x").stream, "tool_call");
  t.equal(recordedAs("resources/read/file").stream, "data_retrieval");
  t.equal(recordedAs("prompts/get/x").stream, "data_retrieval");
});
