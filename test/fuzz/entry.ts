// What the fuzzer loads: the target that FUZZ_TARGET names.
import { TARGETS } from "./targets/index.ts";

const target = TARGETS.find(({ name }) => name === process.env["FUZZ_TARGET"]);
if (target === undefined) throw new Error("FUZZ_TARGET names no target");
const { run } = target;
const STACK_FRAMES = 30;
// Refusals are errors by the thousand, and nobody reads where they were made.
Error.stackTraceLimit = 0;

/** Runs the target on an input; what it throws is a finding. */
export async function fuzz(data: Buffer): Promise<void> {
  try {
    // A copy: the fuzzer's memory must not be held, and a target must not change it.
    await run(new Uint8Array(data));
  } catch (error) {
    throw await withStack(data, error);
  }
}

/** The same finding once more, with the place it comes from. */
async function withStack(data: Buffer, error: unknown): Promise<unknown> {
  Error.stackTraceLimit = STACK_FRAMES;
  try {
    await run(new Uint8Array(data));
    return error;
  } catch (again) {
    return again;
  }
}
