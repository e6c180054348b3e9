// The engine over LevelDB: the contract of every engine, and what is its own: folder, lock, failures.

import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { openLevelLog } from "../../../server/store/engine-level.ts";
import { orderedLogContract, put } from "../../contracts/ordered-log.ts";

orderedLogContract(t, (t) => {
  const folder = join(t.testdir(), "store");
  return {
    open: (retention) =>
      openLevelLog({ folder, ...(retention === undefined ? {} : { retention }) }),
  };
});

t.test("makes its folder readable by its owner alone", async (t) => {
  const folder = join(t.testdir({ store: {} }), "store");
  const log = await openLevelLog({ folder });
  t.teardown(() => log.close());
  t.equal((await stat(folder)).mode & 0o777, 0o700);
});

t.test("says so when another holds the store", async (t) => {
  const folder = join(t.testdir(), "store");
  const log = await openLevelLog({ folder });
  await t.rejects(openLevelLog({ folder }), {
    reason: "STORE_LOCKED",
    code: 9,
    hint: "stop the other server, or give this one its own data_dir",
  });
  await log.close();
  const again = await openLevelLog({ folder });
  await again.close();
});

t.test("says so when it cannot have the folder", async (t) => {
  const folder = join(t.testdir({ file: "not a folder" }), "file", "store");
  await t.rejects(openLevelLog({ folder }), { name: "IdentityError", reason: "STORE_UNUSABLE" });
});

t.test("refuses a store whose manifest is damaged instead of starting empty", async (t) => {
  const folder = join(t.testdir(), "store");
  const log = await openLevelLog({ folder });
  await log.commit({ puts: [put("a", "1")] });
  await log.close();
  const manifest = (await readdir(folder)).find((name) => name.startsWith("MANIFEST"));
  const path = join(folder, manifest ?? "");
  const bytes = await readFile(path);
  await writeFile(
    path,
    bytes.map((byte, i) => (i > 8 ? byte ^ 0xff : byte)),
  );
  await t.rejects(openLevelLog({ folder }), { name: "IdentityError", reason: "STORE_CORRUPT" });
});

t.test("refuses a store in whose log commits are missing", async (t) => {
  const folder = join(t.testdir(), "store");
  const log = await openLevelLog({ folder });
  for (let i = 0; i < 20; i++) {
    await Promise.all(
      Array.from({ length: 50 }, (_, k) => log.commit({ puts: [put(`k${k}`, "x".repeat(100))] })),
    );
  }
  await log.close();
  const name = (await readdir(folder)).find((file) => file.endsWith(".log"));
  const path = join(folder, name ?? "");
  const bytes = await readFile(path);
  t.ok(bytes.byteLength > 150_000, "the log has several blocks");
  const damaged = bytes.map((byte, i) => (i > 80_000 && i < 80_010 ? byte ^ 0xff : byte));
  await writeFile(path, damaged);
  await t.rejects(openLevelLog({ folder }), {
    name: "IdentityError",
    reason: "STORE_CORRUPT",
    message: /lost the commits/,
  });
});

t.test("gives each store an identity of its own", async (t) => {
  const folder = t.testdir();
  const one = await openLevelLog({ folder: join(folder, "one") });
  const two = await openLevelLog({ folder: join(folder, "two") });
  t.not(one.storeId, two.storeId);
  await one.close();
  await two.close();
});
