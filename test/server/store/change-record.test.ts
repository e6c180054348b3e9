// The bytes of a change: what comes back is what went in, and damaged bytes are refused.

import t from "tap";
import { decodeChange, encodeChange } from "../../../server/store/change-record.ts";

const commit = {
  puts: [
    { key: "a/ä", value: Uint8Array.of(1, 2, 3) },
    { key: "empty", value: new Uint8Array() },
  ],
  deletes: ["b", "c/d"],
};

t.test("gives back keys, values and deletes", async (t) => {
  const change = decodeChange(encodeChange(commit), 7);
  t.equal(change.revision, 7);
  t.strictSame(
    change.puts.map(({ key, value, revision }) => [key, [...value], revision]),
    [
      ["a/ä", [1, 2, 3], 7],
      ["empty", [], 7],
    ],
  );
  t.strictSame(change.deletes, ["b", "c/d"]);
  t.strictSame(decodeChange(encodeChange({}), 1), { revision: 1, puts: [], deletes: [] });
});

t.test("refuses bytes that are cut off, go on, or count too much", async (t) => {
  const whole = encodeChange(commit);
  const corrupt = { name: "IdentityError", reason: "STORE_CORRUPT" };
  for (let length = 0; length < whole.byteLength; length++) {
    t.throws(() => decodeChange(whole.subarray(0, length), 1), corrupt, `${length} bytes`);
  }
  t.throws(() => decodeChange(Uint8Array.of(...whole, 0), 1), corrupt);
  t.throws(() => decodeChange(Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0), 1), corrupt);
  t.throws(() => decodeChange(Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255), 1), corrupt);
});
