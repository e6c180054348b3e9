// Walking parent links while processes end and pids are used again, with a made-up process table.

import t from "tap";
import { descendsFrom, type Held } from "../../../agent/launch/descent.ts";
import type { PinnedProcess } from "../../../agent/peer/index.ts";
import { gone } from "../../../agent/peer/pinned-process.ts";

interface Entry {
  readonly generation: number;
  readonly parent: number;
}

// Processes by pid; a generation is one process, whatever its pid.
class Table {
  readonly entries = new Map<number, Entry>();
  open = 0;
  /** Called before each look at a parent, to change the table in the middle of a walk. */
  onLook: (pid: number) => void = () => undefined;
  #generation = 0;

  add(pid: number, parent: number): Held {
    this.entries.set(pid, { generation: ++this.#generation, parent });
    return this.hold(pid);
  }

  end(pid: number): void {
    this.entries.delete(pid);
    for (const [child, entry] of this.entries) {
      if (entry.parent === pid) this.entries.set(child, { ...entry, parent: 1 });
    }
  }

  hold(pid: number): Held & { close(): void } {
    const generation = this.entries.get(pid)?.generation;
    if (generation === undefined) throw gone(pid);
    const isAlive = (): boolean => this.entries.get(pid)?.generation === generation;
    const table = this;
    return {
      pid,
      isAlive,
      parentPid() {
        table.onLook(pid);
        const parent = table.entries.get(pid)?.parent;
        if (!isAlive() || parent === undefined) throw gone(pid);
        return parent;
      },
      close() {
        table.open--;
      },
    };
  }

  readonly callers = {
    pin: (pid: number): PinnedProcess => {
      const held = this.hold(pid);
      this.open++;
      return held as unknown as PinnedProcess;
    },
  };
}

const of = (...held: Held[]): Map<number, Held> => new Map(held.map((one) => [one.pid, one]));

t.test("finds itself, a parent and any ancestor, and lets go of what it held", async (t) => {
  const table = new Table();
  const root = table.add(100, 50);
  table.add(50, 1);
  table.add(101, 100);
  const leaf = table.add(102, 101);
  t.equal(descendsFrom(table.callers, root, of(root)), true);
  t.equal(descendsFrom(table.callers, leaf, of(root)), true);
  t.equal(descendsFrom(table.callers, root, of(leaf)), false);
  t.equal(descendsFrom(table.callers, table.hold(50), of(root)), false);
  t.equal(table.open, 0);
});

t.test("an ancestor that has ended does not count, nor who has its pid now", async (t) => {
  const table = new Table();
  const root = table.add(100, 1);
  const child = table.add(101, 100);
  table.end(100);
  t.equal(descendsFrom(table.callers, child, of(root)), false);
  table.add(100, 1);
  const impostor = table.add(102, 100);
  t.equal(descendsFrom(table.callers, impostor, of(root)), false);
  t.equal(descendsFrom(table.callers, table.hold(100), of(root)), false);
});

t.test("a parent's pid that is taken over in the middle of the walk bends nothing", async (t) => {
  const table = new Table();
  const root = table.add(100, 1);
  table.add(200, 1);
  const stranger = table.add(201, 200);
  let looks = 0;
  // After the stranger's parent was read as 200, that ends, and a child of the root becomes 200.
  table.onLook = (pid) => {
    if (pid !== 201 || ++looks !== 2) return;
    table.end(200);
    table.add(200, 100);
  };
  t.equal(descendsFrom(table.callers, stranger, of(root)), false);
  t.ok(looks >= 3, "it looked again");
  t.equal(table.open, 0);
});

t.test("the pid is taken over before the parent could be held", async (t) => {
  const table = new Table();
  const root = table.add(100, 1);
  table.add(200, 1);
  const stranger = table.add(201, 200);
  const pin = table.callers.pin;
  let pins = 0;
  const callers = {
    pin(pid: number) {
      if (pids(pid) && ++pins === 1) {
        table.end(200);
        table.add(200, 100);
      }
      return pin(pid);
    },
  };
  const pids = (pid: number): boolean => pid === 200;
  t.equal(descendsFrom(callers, stranger, of(root)), false);
  t.equal(table.open, 0);
});

t.test("when one in the middle ends, the walk starts over", async (t) => {
  const table = new Table();
  const root = table.add(100, 1);
  table.add(101, 100);
  const leaf = table.add(102, 101);
  let looks = 0;
  table.onLook = (pid) => {
    if (pid === 102 && ++looks === 2) table.end(101);
  };
  t.equal(descendsFrom(table.callers, leaf, of(root)), false, "a child of init now");
  t.equal(table.open, 0);
});

t.test("a process that ends itself is told so", async (t) => {
  const table = new Table();
  const root = table.add(100, 1);
  const leaf = table.add(101, 100);
  table.end(101);
  t.throws(() => descendsFrom(table.callers, leaf, of(root)), { reason: "CALLER_GONE", code: 14 });
});

t.test("a chain without end is given up", async (t) => {
  const table = new Table();
  const root = table.add(2, 1);
  for (let pid = 3; pid < 1000; pid++) table.add(pid, pid - 1);
  t.equal(descendsFrom(table.callers, table.hold(999), of(root)), false);
  t.equal(descendsFrom(table.callers, table.hold(100), of(root)), true);
  t.equal(table.open, 0);
});
