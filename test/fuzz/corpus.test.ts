// Every input that fuzzing kept, and the seeds, once more through its target: what was mended once stays
// mended. Driven by coverage: run.ts.
import t from "tap";
import { keptInputs } from "./corpus.ts";
import { MAX_SECONDS_PER_INPUT } from "./target.ts";
import { TARGETS } from "./targets/index.ts";

for (const target of TARGETS) {
  t.test(`${target.name} takes every input that was kept`, async (t) => {
    const kept = keptInputs(target);
    t.ok(kept.length > 0, "there is a corpus");
    for (const input of [...kept, ...target.seeds()]) {
      const startedAt = performance.now();
      try {
        await target.run(input);
      } catch (error) {
        t.fail(`an input of ${input.length} bytes: ${error}`, {
          input: Buffer.from(input).toString("base64"),
          error,
        });
      }
      const seconds = (performance.now() - startedAt) / 1000;
      t.ok(seconds < MAX_SECONDS_PER_INPUT, "no input hangs");
    }
  });
}
