// The thread that waits for processes to end: blocked in epoll_wait, because Node cannot poll a pidfd.
// The main thread adds and removes pidfds on the same epoll; this one tells it which have ended.
// Started by exit-watcher.ts; ends when the eventfd that has ID 0 becomes readable.

import { endianness } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { EVENT_BYTES, EVENT_ID_OFFSET } from "./epoll.ts";
import { library } from "./native.ts";

const BATCH = 256;
// Only a net under the eventfd: a thread blocked for ever would keep the process from exiting.
const WAKE_MS = 10_000;

/** What the worker is started with. */
export interface ExitWorkerData {
  readonly epoll: number;
}

function watch(epoll: number): void {
  if (endianness() !== "LE") throw new Error("needs a little-endian machine");
  const events = Buffer.alloc(BATCH * EVENT_BYTES);
  const { epoll_wait } = library();
  parentPort?.postMessage([]); // ready: nothing more to load
  for (;;) {
    const count = epoll_wait(epoll, events, BATCH, WAKE_MS);
    const ended: number[] = [];
    for (let i = 0; i < count; i++) {
      const id = Number(events.readBigUInt64LE(i * EVENT_BYTES + EVENT_ID_OFFSET));
      if (id === 0) return;
      ended.push(id);
    }
    if (ended.length > 0) parentPort?.postMessage(ended);
  }
}

watch((workerData as ExitWorkerData).epoll);
