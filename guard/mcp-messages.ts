// The messages of MCP as a guard reads them: which of them are calls that a mandate must cover, and what of a
// list a task is shown. By structure alone: any version of the SDK, or none, fits.

import { type Call, otherAction, promptAction, resourceAction, toolAction } from "./actions.ts";
import { guardError } from "./errors.ts";

/** A message of JSON-RPC 2.0. */
export interface Message {
  readonly jsonrpc: "2.0";
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Names of the tools that say of themselves that they change nothing. */
export type ReadOnlyTools = ReadonlySet<string>;

/** What every task may do at a server that it may reach: it tells nothing but names, which are filtered. */
const FREE: ReadonlySet<string> = new Set([
  "initialize",
  "ping",
  "logging/setLevel",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "resources/unsubscribe",
  // MCP's own tasks: what calls have left in this session, which were authorised when they were made.
  "tasks/get",
  "tasks/result",
  "tasks/list",
  "tasks/cancel",
]);

/** Reads one message from outside. @throws GUARD_MESSAGE_INVALID for a batch, and for what is no message */
export function readMessage(body: unknown): Message {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid("it is no single message");
  }
  const { id, method, params, jsonrpc } = body as Record<string, unknown>;
  if (jsonrpc !== "2.0") throw invalid("it is no message of JSON-RPC 2.0");
  if (id !== undefined && typeof id !== "string" && typeof id !== "number") {
    throw invalid("its id is neither a text nor a number");
  }
  if (method !== undefined && typeof method !== "string") throw invalid("its method is no text");
  if (
    params !== undefined &&
    (typeof params !== "object" || params === null || Array.isArray(params))
  ) {
    throw invalid("its params are no object");
  }
  return body as Message;
}

/** Whether the tools of the server must be known to say what a message is. */
export function needsTools({ method }: Message): boolean {
  return method === "tools/call";
}

/**
 * The call that a message is; undefined for what needs no mandate: answers, notifications, lists.
 * @throws GUARD_MESSAGE_INVALID, ACTION_INVALID
 */
export function callOf(
  { id, method, params = {} }: Message,
  readOnly: ReadOnlyTools,
): Call | undefined {
  if (method === undefined || FREE.has(method)) return undefined;
  if (id === undefined) {
    if (method.startsWith("notifications/")) return undefined;
    throw invalid(`${method} came without an id`);
  }
  switch (method) {
    case "tools/call": {
      const name = textIn(params, "name");
      return { action: toolAction(name, readOnly.has(name)), args: params["arguments"] ?? {} };
    }
    case "resources/read":
    case "resources/subscribe": {
      const uri = textIn(params, "uri");
      return { action: resourceAction(uri), args: { uri } };
    }
    case "prompts/get":
      return { action: promptAction(textIn(params, "name")), args: params["arguments"] ?? {} };
    case "completion/complete":
      return { action: completionAction(params["ref"]), args: params["argument"] ?? {} };
    default:
      return { action: otherAction("mcp", method), args: params };
  }
}

/** The list in a result without what a task may not use. `shows` says which actions it may. */
export function filterList(
  method: string,
  result: Readonly<Record<string, unknown>>,
  shows: (action: string) => boolean,
): Readonly<Record<string, unknown>> {
  const keep = (field: string, actionOf: (item: Record<string, unknown>) => string): object => {
    const items = result[field];
    if (!Array.isArray(items)) return result;
    return { ...result, [field]: items.filter((item) => isShown(() => shows(actionOf(item)))) };
  };
  switch (method) {
    case "tools/list":
      return keep("tools", (tool) => toolAction(textIn(tool, "name"), isReadOnly(tool))) as never;
    case "prompts/list":
      return keep("prompts", (prompt) => promptAction(textIn(prompt, "name"))) as never;
    case "resources/list":
      return keep("resources", (one) => resourceAction(textIn(one, "uri"))) as never;
    case "resources/templates/list":
      return keep("resourceTemplates", (one) =>
        resourceAction(textIn(one, "uriTemplate")),
      ) as never;
    default:
      return result;
  }
}

/** The tools of a page of tools/list that are annotated `readOnlyHint: true`. */
export function readOnlyNames(result: Readonly<Record<string, unknown>>): string[] {
  const { tools } = result;
  if (!Array.isArray(tools)) return [];
  return tools.filter(isReadOnly).flatMap(({ name }: { name?: unknown }) => {
    return typeof name === "string" ? [name] : [];
  });
}

function isReadOnly(tool: unknown): boolean {
  const { annotations } = (tool ?? {}) as { annotations?: { readOnlyHint?: unknown } | null };
  return annotations?.readOnlyHint === true;
}

/** What cannot be an action is covered by nothing. */
function isShown(test: () => boolean): boolean {
  try {
    return test();
  } catch {
    return false;
  }
}

function completionAction(ref: unknown): string {
  const { type, name, uri } = (ref ?? {}) as Readonly<Record<string, unknown>>;
  if (type === "ref/prompt" && typeof name === "string") return promptAction(name);
  if (type === "ref/resource" && typeof uri === "string") return resourceAction(uri);
  throw invalid("completion/complete refers to nothing that is known");
}

function textIn(params: Readonly<Record<string, unknown>>, field: string): string {
  const value = params[field];
  if (typeof value === "string" && value !== "") return value;
  throw invalid(`it has no ${field}`);
}

export function invalid(why: string): Error {
  return guardError("GUARD_MESSAGE_INVALID", `the message cannot be read: ${why}`, {
    hint: "send one JSON-RPC request at a time, as MCP has it",
  });
}
