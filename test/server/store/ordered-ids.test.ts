// IDs in order while some come and go.

import t from "tap";
import { OrderedIds } from "../../../server/store/ordered-ids.ts";

t.test("reads in order from any point, whatever was added and removed in between", async (t) => {
  const ids = new OrderedIds();
  const model = new Set<string>();
  let state = 1;
  const pick = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let step = 0; step < 3000; step++) {
    const id = `id-${pick(200)}`;
    if (pick(3) > 0 && !model.has(id)) {
      ids.add(id);
      model.add(id);
    } else if (model.delete(id)) {
      ids.delete(id);
    }
    if (pick(10) > 0) continue;
    const after = pick(4) === 0 ? undefined : `id-${pick(200)}`;
    const expected = [...model].sort().filter((one) => after === undefined || one > after);
    if (JSON.stringify([...ids.after(after)]) !== JSON.stringify(expected))
      t.fail(`differs after step ${step}`);
  }
  t.pass("as a sorted set");
});

t.test("a reader under way keeps the list it began with", async (t) => {
  const ids = new OrderedIds();
  for (const id of ["a", "b", "c"]) ids.add(id);
  const reader = ids.after();
  t.equal(reader.next().value, "a");
  ids.delete("b");
  ids.add("d");
  t.strictSame([...ids.after()], ["a", "c", "d"]);
  t.strictSame([...reader], ["b", "c"]);
});
