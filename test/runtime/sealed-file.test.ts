// Files encrypted at rest: what is written comes back, and nothing that was touched opens.

import { createSecretKey, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createLogger, silentLogger } from "../../runtime/log.ts";
import { loadOrCreateSealingKey, seal, sealedFile, unseal } from "../../runtime/sealed-file.ts";

const key = createSecretKey(randomBytes(32));
const secret = Buffer.from("a private key, in PKCS#8");
const damaged = { reason: "SEALED_FILE_DAMAGED", code: 15 };

t.test("gives back what was sealed, and shows none of it on the disk", async (t) => {
  const file = sealedFile(join(t.testdir(), "key"), key, "agent-key");
  t.equal(await file.read(), undefined, "absent");
  await file.write(secret);
  t.same(Buffer.from((await file.read()) ?? []), secret);
  const raw = readFileSync(file.path);
  t.equal(raw.includes("private"), false);
  t.equal(statSync(file.path).mode & 0o777, 0o600);
  await file.write(Buffer.alloc(0));
  t.equal((await file.read())?.length, 0, "nothing is a content too");
});

t.test("sealing twice gives different bytes: the nonce is random", async (t) => {
  t.notSame(seal(secret, key, "p"), seal(secret, key, "p"));
});

t.test("refuses another key", async (t) => {
  const sealed = seal(secret, key, "agent-key");
  t.throws(() => unseal(sealed, createSecretKey(randomBytes(32)), "agent-key"), damaged);
});

t.test("refuses a sealed file in the place of another one", async (t) => {
  t.throws(() => unseal(seal(secret, key, "ca-key"), key, "agent-key"), damaged);
});

t.test("refuses every single flipped bit and every cut", async (t) => {
  const sealed = seal(secret, key, "agent-key");
  let opened = 0;
  const tries = (bytes: Uint8Array): void => {
    try {
      unseal(bytes, key, "agent-key");
      opened++;
    } catch (error) {
      if ((error as { reason?: string }).reason !== damaged.reason) throw error;
    }
  };
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    tries(changed);
  }
  for (let length = 0; length < sealed.length; length++) tries(sealed.subarray(0, length));
  tries(Buffer.concat([sealed, Buffer.alloc(1)]));
  t.equal(opened, 0);
});

t.test("a truncated file says what to do", async (t) => {
  const file = sealedFile(join(t.testdir(), "key"), key, "agent-key");
  await file.write(secret);
  truncateSync(file.path, 20);
  await t.rejects(file.read(), { ...damaged, hint: /backup/ });
});

t.test("refuses a sealed file that others can read", async (t) => {
  const file = sealedFile(join(t.testdir(), "key"), key, "agent-key");
  await file.write(secret);
  chmodSync(file.path, 0o644);
  await t.rejects(file.read(), { reason: "FILE_EXPOSED", code: 9, message: /mode 0644/ });
});

t.test("makes a sealing key once, private, with a warning that does not hold it", async (t) => {
  const lines: string[] = [];
  const log = createLogger({ destination: { write: (line) => lines.push(line) } });
  const path = join(t.testdir(), "keys", "sealing.key");
  const first = await loadOrCreateSealingKey(path, log);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(join(path, "..")).mode & 0o777, 0o700);
  t.equal(lines.length, 1);
  t.match(lines[0], /"level":"warn".*sealing key/);
  t.equal(lines[0]?.includes(readFileSync(path, "utf8").trim()), false);
  const second = await loadOrCreateSealingKey(path, log);
  t.ok(first.equals(second));
  t.equal(lines.length, 1, "no second warning");
});

t.test("many that start at once agree on one sealing key", async (t) => {
  const path = join(t.testdir(), "sealing.key");
  const keys = await Promise.all(
    Array.from({ length: 20 }, () => loadOrCreateSealingKey(path, silentLogger)),
  );
  t.ok(keys.every((one) => keys[0]?.equals(one)));
});

t.test("refuses a sealing key that others can read, or that is none", async (t) => {
  const dir = t.testdir();
  const path = join(dir, "sealing.key");
  await loadOrCreateSealingKey(path, silentLogger);
  for (const mode of [0o640, 0o604, 0o620, 0o601]) {
    chmodSync(path, mode);
    await t.rejects(loadOrCreateSealingKey(path, silentLogger), {
      reason: "FILE_EXPOSED",
      code: 9,
    });
  }
  for (const text of ["", "short\n", `${"A".repeat(44)}\n`, `${"A".repeat(42)}!\n`]) {
    const bad = join(dir, `bad-${text.length}`);
    writeFileSync(bad, text, { mode: 0o600 });
    await t.rejects(loadOrCreateSealingKey(bad, silentLogger), {
      reason: "SEALING_KEY_INVALID",
      code: 9,
    });
  }
});

t.test("makes no sealing key where files are that it could not open", async (t) => {
  const folder = t.testdir();
  const path = join(folder, "elsewhere", "sealing.key");
  await sealedFile(join(folder, "one.sealed"), key, "p").write(secret);
  await t.rejects(loadOrCreateSealingKey(path, silentLogger, folder), {
    reason: "SEALING_KEY_MISSING",
    code: 9,
    hint: /put the key back/,
  });
  t.equal(existsSync(path), false, "nothing that hides the mistake");
  await t.resolves(loadOrCreateSealingKey(path, silentLogger, join(folder, "new")));
});
