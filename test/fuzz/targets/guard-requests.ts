// What a guard makes of requests: the action of an HTTP request, and of a message of MCP. Servers behind a guard
// read the same bytes in ways of their own; whatever a guard lets them have means one thing to all of them.
import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import { httpAction } from "../../../guard/actions.ts";
import { callOf, filterList, readMessage, readOnlyNames } from "../../../guard/mcp-messages.ts";
import { valuesOf } from "../../../guard/request.ts";
import { canonicalJson } from "../../../pki/canonical-json.ts";
import { isAction } from "../../../policy/action-pattern.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

/** How a server may take a path apart: each a reading that is in use somewhere. */
const READINGS: readonly ((path: string) => string[])[] = [
  // node, Go: decodes and resolves dots.
  (path) => resolved(decoded(path)),
  // Browsers and whoever uses their URL.
  (path) =>
    resolved(decoded(new URL(`http://h${path.startsWith("/") ? path : `/${path}`}`).pathname)),
  // Java: parameters of segments do not count.
  (path) => resolved(decoded(path.replace(/;[^/]*/g, ""))),
  (path) => resolved(decoded(path).replace(/;[^/]*/g, "")),
  // A proxy and the server behind it both decode.
  (path) => resolved(decoded(decoded(path))),
  // Windows.
  (path) => resolved(decoded(path).replaceAll("\\", "/")),
  (path) => resolved(decoded(path).replace(/[ \t]+(?=\/|$)/g, "")),
  // Fragments are no part of a request: some cut them off, and some do not.
  (path) => resolved(decoded(path.replace(/#.*$/s, ""))),
];

function decoded(text: string): string {
  const bytes = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return bytes;
}

/** Without empty segments, and with dots resolved. */
function resolved(path: string): string[] {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") kept.pop();
    else kept.push(segment);
  }
  return kept;
}

export const httpActionOf: FuzzTarget = {
  name: "http-action",
  reads: "methods and targets of requests to guarded services: the method, then a space",
  maxBytes: 512,
  seeds: () =>
    [
      "GET /tickets/7?x=/y",
      "POST /a/%2E%2e/b",
      "GET /a//b/",
      "DELETE /caf%c3%a9/%2A/a;x=1",
      "GET http://h/a",
      "GET /%252e%252e/a#b",
      "OPTIONS *",
    ].map(bytesOf),
  run(data) {
    // As node:http has it: a character for each byte.
    const text = Buffer.from(data).toString("latin1");
    const at = text.indexOf(" ");
    const [method, target] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
    const action = parsedOrRefused(() => httpAction(method, target));
    if (action === undefined) return;
    holds(isAction(action), "an action with two spellings");
    const [protocol, verb, ...segments] = action.split("/");
    holds(protocol === "http" && decoded(verb ?? "") === method.toLowerCase(), "another method");
    const path = target.split("?", 1)[0] ?? "";
    // What is encoded is UTF-8, and compared as its bytes.
    const names = segments.map((segment) => decoded(segment));
    for (const [i, reading] of READINGS.entries()) {
      const read = reading(path);
      holds(read.length === names.length, `reading ${i} of "${path}" is of another path`);
      for (const [j, name] of read.entries()) {
        const expected = names[j] ?? "";
        const isSame = [expected, decoded(expected)].some((one) => isReading(name, one));
        holds(isSame, `reading ${i} of "${path}" has "${name}"`);
      }
    }
  },
};

/** The same name; or its beginning, where what follows are parameters or space. */
function isReading(name: string, expected: string): boolean {
  return (
    name === expected || (expected.startsWith(name) && /^[; \t]/.test(expected.slice(name.length)))
  );
}

/** Requests that every task may send: they touch nothing. */
const FREE =
  /^(?:initialize|ping|logging\/setLevel|(?:tools|prompts|resources|resources\/templates|tasks)\/list|resources\/unsubscribe|tasks\/(?:get|result|cancel))$/;

export const mcpMessage: FuzzTarget = {
  name: "mcp-message",
  reads: "messages of JSON-RPC to guarded MCP servers, and lists in their answers",
  maxBytes: 2048,
  seeds: () =>
    [
      { id: 1, method: "tools/call", params: { name: "read_ticket", arguments: { id: 7 } } },
      { id: "a", method: "resources/read", params: { uri: "ticket://7" } },
      { id: 2, method: "prompts/get", params: { name: "sum up", arguments: {} } },
      { id: 3, method: "completion/complete", params: { ref: { type: "ref/prompt", name: "a" } } },
      { id: 4, method: "tools/list", params: { cursor: "c" } },
      { method: "notifications/cancelled", params: { requestId: 1 } },
      { id: 5, result: { tools: [{ name: "a", annotations: { readOnlyHint: true } }] } },
      { id: 6, result: { resources: [{ uri: "file:///a" }], prompts: [{ name: "p" }] } },
      { id: 7, error: { code: -32000, message: "no" } },
    ].map((message) => bytesOf(JSON.stringify({ jsonrpc: "2.0", ...message }))),
  run(data) {
    let body: unknown;
    try {
      body = JSON.parse(textOf(data));
    } catch {
      return;
    }
    parsedOrRefused(() => valuesOf({ rawHeaders: [textOf(data), "b"] }, "authorization"));
    const message = parsedOrRefused(() => readMessage(body));
    // What the SDK takes it for; it refuses more.
    const { success, data: read } = JSONRPCMessageSchema.safeParse(body);
    if (message === undefined) {
      holds(!success || Array.isArray(body) || isEmptyId(body), "the SDK reads what we refuse");
      return;
    }
    for (const readOnly of [new Set<string>(), new Set(["read_ticket"])]) {
      const call = parsedOrRefused(() => callOf(message, readOnly));
      if (call !== undefined) {
        holds(isAction(call.action), "a call that is no action");
        parsedOrRefused(() => canonicalJson(call.args));
      } else if (success && parsedOrRefused(() => [callOf(message, readOnly)]) !== undefined) {
        // It goes to the server, and nobody was asked.
        const isRequest = "method" in read && "id" in read;
        holds(!isRequest || FREE.test(read.method), "a request that nobody was asked about");
        const isNotice = "method" in read && !("id" in read);
        const isKnown =
          isNotice && (/^notifications\//.test(read.method) || FREE.test(read.method));
        holds(!isNotice || isKnown, "a call without an answer");
      }
      if (call === undefined || !success || !("method" in read)) continue;
      checkNamed(call.action, read);
    }
    const { result } = message;
    if (typeof result !== "object" || result === null) return;
    for (const list of ["tools", "prompts", "resources", "resources/templates"]) {
      const shown = filterList(`${list}/list`, result, (action) => isAction(action));
      holds(typeof shown === "object", "no list");
    }
    readOnlyNames(result);
  },
};

/** What the SDK passes to a tool is what was asked about. */
function checkNamed(
  action: string,
  { method, params = {} }: { method: string; params?: object | undefined },
): void {
  const { name, uri } = params as { name?: unknown; uri?: unknown };
  const last = decodeURIComponent(action.split("/").at(-1) ?? "");
  if (method === "tools/call" || method === "prompts/get") holds(last === name, "another name");
  if (method === "resources/read" || method === "resources/subscribe") {
    holds(String(uri).toLowerCase().startsWith(`${last}:`), "another scheme");
  }
}

/** An id of null is no id for some versions of JSON-RPC. */
function isEmptyId(body: unknown): boolean {
  return (body as { id?: unknown } | null)?.id === null;
}
