// Which certificates each task was given, however often the authority behind them changes.
import t from "tap";
import { TaskSerials } from "../../../server/tasks/serials.ts";

t.test("forgets the oldest authority alone when there have been too many", (t) => {
  const serials = new TaskSerials();
  const name = (number: number): string => number.toString(16).padStart(4, "0");
  for (let i = 0; i < 600; i++) {
    serials.add(`task-${i}`, name(i), Buffer.alloc(16, i & 255), 2_000_000_000);
    const kept = [i, Math.max(0, i - 1), Math.max(0, i - 255)];
    for (const one of kept) {
      t.equal(serials.of(`task-${one}`, 0)[0]?.authorityId, name(one), `${one} after ${i}`);
    }
  }
  t.end();
});
