// How far the store was, as the newest events of the log say: each event of a task and of administration
// follows the commit that it tells of, and names where the store was then.
import { isLater, parsePosition, type StorePosition } from "../store/epoch.ts";
import type { AuditStream } from "./event.ts";
import { type LoggedEvent, parseLine, QueryReader, tailsOf } from "./query.ts";

const STREAMS: readonly AuditStream[] = ["task", "admin"];
/** How much is read of the end, and more if nothing is in it: what nodes saw says nothing of the store. */
const WINDOWS: readonly (number | undefined)[] = [256 * 1024, 16 * 1024 * 1024, undefined];

/** The latest position that the log knows of; undefined when no event names one. */
export async function lastPosition(folder: string): Promise<StorePosition | undefined> {
  let last: StorePosition | undefined;
  for (const stream of STREAMS) {
    const position = await lastOf(folder, stream);
    if (position !== undefined && (last === undefined || isLater(position, last))) last = position;
  }
  return last;
}

/** Where the store was when the server itself wrote this. */
export function positionIn({ observed_by, detail }: LoggedEvent): StorePosition | undefined {
  return observed_by === "issuer" ? parsePosition(detail?.["store"] ?? "") : undefined;
}

async function lastOf(folder: string, stream: AuditStream): Promise<StorePosition | undefined> {
  for (const window of WINDOWS) {
    const starts = window === undefined ? new Map() : await tailsOf(folder, window);
    const reader = new QueryReader(folder, { streams: [stream] }, starts);
    let last: StorePosition | undefined;
    try {
      for await (const line of reader.read()) {
        const position = positionIn(parseLine(line));
        if (position !== undefined && (last === undefined || isLater(position, last)))
          last = position;
      }
    } finally {
      await reader.close();
    }
    if (last !== undefined) return last;
  }
  return undefined;
}
