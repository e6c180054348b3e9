// signet.audit.v1.AuditLog: node agents pass on events, administrators read the log, its newest signed
// checkpoint, and proofs. Who may call: authorize.ts.
import type { Handlers } from "../../proto/rpc/service.ts";
import type { AuditLogService } from "../../proto/schema.gen.ts";
import type { Checkpoints } from "../audit/checkpoints.ts";
import { type AuditStream, STREAMS } from "../audit/event.ts";
import type { AuditLog } from "../audit/log.ts";
import { newest } from "../audit/newest.ts";
import type { PassedOn } from "../audit/passed-on.ts";
import { consistencyProof, inclusionProof } from "../audit/proofs.ts";
import { type EventQuery, QueryReader } from "../audit/query.ts";
import type { Line } from "../audit/reader.ts";
import { serverError } from "../errors.ts";
import { agentOf } from "./authorize.ts";

/** Lines of an answer, and their bytes. */
const MAX_LINES = 500;
const MAX_BYTES = 512 * 1024;
const MAX_LAST = 100_000;
const MAX_TEXT = 2048;

export interface AuditLogApiOptions {
  readonly audit: AuditLog;
  readonly checkpoints: Checkpoints;
  readonly passedOn: PassedOn;
}

/** The handlers of the service. */
export function auditLogHandlers({
  audit,
  checkpoints,
  passedOn,
}: AuditLogApiOptions): Handlers<typeof AuditLogService> {
  return {
    async append({ events }, context) {
      await passedOn.take(events, agentOf(context).toString());
      return {};
    },

    async *tail(request, { signal }) {
      const { last, follow } = request;
      if (last > MAX_LAST) throw invalid(`at most the last ${MAX_LAST} events can be asked for`);
      const reader = new QueryReader(audit.folder, queryFrom(request));
      const written = new Written(audit, signal);
      try {
        if (last > 0) yield* batches(newest(audit.folder, reader.read(audit.size), last));
        else yield* batches(reader.read(audit.size));
        while (follow && (await written.next())) yield* batches(reader.read(audit.size));
      } finally {
        written.stop();
        await reader.close();
      }
    },

    async checkpoint() {
      const note = (await checkpoints.current()) ?? (await checkpoints.sign()).note;
      return { note, verifierKey: checkpoints.verifierKey };
    },

    async prove({ eventId, oldSize }) {
      const line = await find(audit.folder, eventId);
      const { note, size } = await checkpoints.sign();
      const old = Number(oldSize);
      if (old > size) throw invalid(`the log has ${size} events, not ${old}`);
      return {
        event: { index: BigInt(line.index), line: line.bytes },
        note,
        inclusion: await inclusionProof(audit.hashes, line.index, size),
        consistency: await consistencyProof(audit.hashes, old, size),
      };
    },
  };
}

type TailRequest = Parameters<NonNullable<Handlers<typeof AuditLogService>["tail"]>>[0];

function queryFrom({ streams, task, tree, type }: TailRequest): EventQuery {
  for (const stream of streams) {
    if (!STREAMS.includes(stream as AuditStream)) {
      throw invalid(`there is no stream ${JSON.stringify(stream.slice(0, 40))}`, {
        hint: `they are ${STREAMS.join(", ")}`,
      });
    }
  }
  if (task.length > MAX_TEXT || type.length > MAX_TEXT) throw invalid("a name is too long");
  return {
    streams: [...new Set(streams)] as AuditStream[],
    ...(task !== "" && { task }),
    tree,
    ...(type !== "" && { type }),
  };
}

async function* batches(
  lines: AsyncIterable<Pick<Line, "index" | "bytes">>,
): AsyncGenerator<{ events: { index: bigint; line: Uint8Array }[] }> {
  let events: { index: bigint; line: Uint8Array }[] = [];
  let bytes = 0;
  for await (const { index, bytes: line } of lines) {
    events.push({ index: BigInt(index), line });
    bytes += line.length;
    if (events.length < MAX_LINES && bytes < MAX_BYTES) continue;
    yield { events };
    events = [];
    bytes = 0;
  }
  if (events.length > 0) yield { events };
}

async function find(folder: string, id: string): Promise<Line> {
  const reader = new QueryReader(folder, { id });
  try {
    for await (const line of reader.read()) return line;
  } finally {
    await reader.close();
  }
  throw serverError(
    "AUDIT_EVENT_NOT_FOUND",
    `there is no event ${JSON.stringify(id.slice(0, 40))}`,
    {
      hint: "take the ID from 'signet audit tail'",
    },
  );
}

/** Whether something has been written since it was last asked; waits for it. */
class Written {
  readonly #end: () => void;
  readonly #signal: AbortSignal;
  #isNew = true;
  #waiting: (() => void) | undefined;

  constructor(audit: AuditLog, signal: AbortSignal) {
    this.#signal = signal;
    this.#end = audit.onWritten(() => this.#wake(true));
    signal.addEventListener("abort", () => this.#wake(false), { once: true });
  }

  /** False once nobody wants to know. */
  async next(): Promise<boolean> {
    while (!this.#isNew && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#isNew = false;
    return !this.#signal.aborted;
  }

  stop(): void {
    this.#end();
  }

  #wake(isNew: boolean): void {
    if (isNew) this.#isNew = true;
    this.#waiting?.();
    this.#waiting = undefined;
  }
}

function invalid(message: string, detail: { readonly hint?: string } = {}): Error {
  return serverError("AUDIT_REQUEST_INVALID", message, detail);
}
