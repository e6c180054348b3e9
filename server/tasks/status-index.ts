// Places in the Token Status List: a list per hour, and in it a random place for each task opened in that
// hour, so that a place says nothing of when, or how many. No two tasks that anybody may still ask for
// share one. A store that was put back from a copy does not know which places were given since: its lists
// have other names, with the epoch in them (server/store/epoch.ts).
import { randomInt } from "node:crypto";
import { isOpen, type KnownTask, type StatusReference } from "../store/task-record.ts";

/** Places in a list. */
export const STATUS_LIST_SIZE = 1_048_576;
/** Beyond, a random place is likely taken: the hour goes on in another list. */
const MOST_USED = STATUS_LIST_SIZE / 2;

interface List {
  readonly taken: Uint8Array;
  used: number;
}

/** The names of lists: the hour, the epoch if there was another one before, and a number from 2 on. */
const NAME =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2})(?:-r([1-9][0-9]{0,14}))?(?:-([1-9][0-9]{0,5}))?$/;

/** When the tasks of a list were opened. */
export interface StatusListName {
  readonly hour: Date;
  readonly epoch: number;
}

/** What the name of a list says; undefined when it is none. */
export function parseStatusListName(name: string): StatusListName | undefined {
  const [, hour, epoch = "0"] = NAME.exec(name) ?? [];
  const moment = new Date(`${hour}:00:00Z`);
  if (hour === undefined || Number.isNaN(moment.getTime())) return undefined;
  return { hour: moment, epoch: Number(epoch) };
}

export class StatusIndexes {
  readonly #epoch: number;
  readonly #lists = new Map<string, List>();

  constructor(epoch = 0) {
    this.#epoch = epoch;
  }

  /** A free place in the list of this hour. */
  allocate(now: Date): StatusReference {
    const suffix = this.#epoch === 0 ? "" : `-r${this.#epoch}`;
    const hour = now.toISOString().slice(0, 13) + suffix;
    for (let part = 1; ; part++) {
      const name = part === 1 ? hour : `${hour}-${part}`;
      const list = this.#listOf(name);
      if (list.used >= MOST_USED) continue;
      let index: number;
      do index = randomInt(STATUS_LIST_SIZE);
      while (isTaken(list, index));
      mark(list, index, true);
      return { list: name, index };
    }
  }

  /** A place that was found in the store. */
  add({ list: name, index }: StatusReference): void {
    mark(this.#listOf(name), index, true);
  }

  /** Nobody asks for it any more. */
  release({ list: name, index }: StatusReference): void {
    const list = this.#lists.get(name);
    if (list === undefined) return;
    mark(list, index, false);
    if (list.used === 0) this.#lists.delete(name);
  }

  #listOf(name: string): List {
    let list = this.#lists.get(name);
    if (list === undefined) {
      list = { taken: new Uint8Array(STATUS_LIST_SIZE / 8), used: 0 };
      this.#lists.set(name, list);
    }
    return list;
  }
}

/** The bits of a task in its list: VALID, INVALID, SUSPENDED (draft-ietf-oauth-status-list s7.1). */
export function statusBits(task: KnownTask): 0 | 1 | 2 {
  if (!isOpen(task)) return 1;
  return task.state === "PARKED" || task.state === "SUSPENDED" ? 2 : 0;
}

function isTaken({ taken }: List, index: number): boolean {
  return (((taken[index >>> 3] ?? 0) >>> (index & 7)) & 1) === 1;
}

function mark(list: List, index: number, isUsed: boolean): void {
  if (isTaken(list, index) === isUsed) return;
  list.taken[index >>> 3] = (list.taken[index >>> 3] ?? 0) ^ (1 << (index & 7));
  list.used += isUsed ? 1 : -1;
}
