// Events for the commands that print them: from the server, or from the files of a log; and how one is
// printed on a line.
import { AuditLogService } from "../proto/schema.gen.ts";
import { type AuditStream, STREAMS } from "../server/audit/event.ts";
import { type LoggedEvent, parseLine, QueryReader } from "../server/audit/query.ts";
import { withServer } from "./admin-channel.ts";
import { assertFolder, auditFolder } from "./audit-files.ts";
import type { Flag, Input } from "./command.ts";
import { ADMIN_SOCKET, parseWord } from "./flags.ts";
import { visible } from "./output.ts";

/** Which events a command wants. */
export interface Wanted {
  readonly streams: readonly AuditStream[];
  readonly task: string;
  readonly tree: boolean;
  readonly type: string;
  readonly last: number;
  readonly follow: boolean;
}

/** Where events come from: the server, or a folder. */
export const SOURCE: readonly Flag[] = [
  {
    name: "dir",
    value: "<folder>",
    description: "read the files of this log instead of asking the server",
    variable: "SIGNET_AUDIT_DIR",
  },
  ADMIN_SOCKET,
];

/** The names of streams that a command was given. */
export function streamsFrom(input: Input): AuditStream[] {
  const words = Object.fromEntries(STREAMS.map((stream) => [stream, stream]));
  return input
    .list("stream")
    .map((text) => parseWord(text.replaceAll("-", "_"), words, "--stream"));
}

/** Gives the events in turn to `take`. */
export async function eachEvent(
  input: Input,
  wanted: Wanted,
  take: (event: LoggedEvent) => void,
): Promise<void> {
  if (input.text("dir") !== undefined && input.text("dir") !== "")
    return fromFiles(input, wanted, take);
  await withServer(input, async (channel) => {
    const answers = channel
      .client(AuditLogService)
      .tail({ ...wanted, streams: [...wanted.streams] });
    for await (const { events } of answers) {
      for (const { line } of events) take(parseLine({ bytes: Buffer.from(line) }));
    }
  });
}

async function fromFiles(
  input: Input,
  { streams, task, tree, type, last }: Wanted,
  take: (event: LoggedEvent) => void,
): Promise<void> {
  const query = { streams, tree, ...(task !== "" && { task }), ...(type !== "" && { type }) };
  const folder = auditFolder(input);
  await assertFolder(folder);
  const reader = new QueryReader(folder, query);
  let kept: LoggedEvent[] = [];
  for await (const line of reader.read()) {
    if (last === 0) take(parseLine(line));
    else kept.push(parseLine(line));
    if (kept.length > 2 * last) kept = kept.slice(-last);
  }
  await reader.close();
  for (const event of kept.slice(-last)) take(event);
}

/** What an event says, on one line. Much of it is the word of a workload: none of it moves a cursor. */
export function formatEvent(event: LoggedEvent): string {
  const { time, stream, type, outcome, observed_by, observer, reason } = event;
  const { agent, task, principal, action, resource, destination } = event;
  // Whose doing it was, first; what two fields say alike stands there once.
  const principals = principal === agent ? undefined : principal;
  const about = new Set([task ?? agent, principals, action, resource, destination].filter(Boolean));
  const who = observed_by === "issuer" ? "" : `  (${observed_by} ${observer})`;
  const why = reason === undefined ? "" : ` ${reason}`;
  const credential = event.credential && `${event.credential.kind} ${event.credential.name}`;
  const detail = Object.entries(event.detail ?? {}).map(([name, value]) => `${name}=${value}`);
  const words = [...about, credential, ...detail].filter((word) => word !== undefined);
  const line = `${time}  ${stream.padEnd(10)}  ${type}  ${outcome}${why}  ${words.join("  ")}${who}`;
  return visible(line.trimEnd());
}
