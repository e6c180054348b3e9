// The key manager on disk: the contract, and what the files look like to someone who should not read them.
import { createSecretKey, randomBytes } from "node:crypto";
import {
  chmod,
  copyFile,
  readdir,
  readFile,
  rename,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { exportPkcs8 } from "../../../pki/keys.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { DiskKeyManager } from "../../../server/keymanager/disk.ts";
import { openKeyManager } from "../../../server/keymanager/index.ts";
import { keyManagerContract } from "../../contracts/key-manager.ts";

const sealingKey = createSecretKey(randomBytes(32));

async function make(t: Test) {
  const folder = join(t.testdir({}), "keys");
  const open = (): Promise<DiskKeyManager> => DiskKeyManager.open({ folder, sealingKey });
  return { folder, open, manager: await open(), reopen: open };
}

keyManagerContract(t, make, ["ec-p256", "ec-p384", "rsa-2048"]);

t.test("keeps keys in files of mode 0600 in a folder of mode 0700", async (t) => {
  const { manager, folder } = await make(t);
  await manager.create("one", "ec-p256");
  t.equal((await stat(folder)).mode & 0o777, 0o700);
  t.strictSame(await readdir(folder), ["one.sealed"]);
  t.equal((await stat(join(folder, "one.sealed"))).mode & 0o777, 0o600);
});

t.test("writes no private key in the clear", async (t) => {
  const { manager, folder } = await make(t);
  const { privateKey } = await manager.create("one", "ec-p256");
  const bytes = await readFile(join(folder, "one.sealed"));
  const pkcs8 = privateKey ? exportPkcs8(privateKey) : new Uint8Array();
  t.ok(pkcs8.length > 100);
  t.notOk(bytes.includes(Buffer.from(pkcs8.subarray(36, 68))), "the private scalar");
});

t.test("does not start when a key cannot be opened", async (t) => {
  const rows = [
    {
      name: "the sealing key is another one",
      spoil: async () => undefined,
      key: createSecretKey(randomBytes(32)),
      reason: "SEALED_FILE_DAMAGED",
    },
    {
      name: "a file is cut short",
      spoil: (folder: string) => truncate(join(folder, "one.sealed"), 40),
      key: sealingKey,
      reason: "SEALED_FILE_DAMAGED",
    },
    {
      name: "a file took the name of another key",
      spoil: (folder: string) => copyFile(join(folder, "one.sealed"), join(folder, "two.sealed")),
      key: sealingKey,
      reason: "SEALED_FILE_DAMAGED",
    },
    {
      name: "others can read a file",
      spoil: (folder: string) => chmod(join(folder, "one.sealed"), 0o640),
      key: sealingKey,
      reason: "FILE_EXPOSED",
    },
  ];
  for (const { name, spoil, key, reason } of rows) {
    t.test(name, async (t) => {
      const { manager, folder } = await make(t);
      await manager.create("one", "ec-p256");
      await spoil(folder);
      await t.rejects(DiskKeyManager.open({ folder, sealingKey: key }), {
        name: "IdentityError",
        reason,
      });
    });
  }
});

t.test("passes over what a crash left half-way, and over files of others", async (t) => {
  const { manager, folder, reopen } = await make(t);
  const { spki } = await manager.create("one", "ec-p256");
  await writeFile(join(folder, ".two.sealed.tmp-0123456789abcdef"), "half of a key");
  await writeFile(join(folder, "sealing.key"), "not a key of ours");
  await rename(join(folder, "one.sealed"), join(folder, ".one.sealed.tmp-1"));
  t.strictSame(await (await reopen()).list(), []);
  await rename(join(folder, ".one.sealed.tmp-1"), join(folder, "one.sealed"));
  t.strictSame((await (await reopen()).list())[0]?.spki, spki);
});

t.test(
  "opens the kind that the configuration names, and no disk without its sealing key",
  async (t) => {
    const dataDir = t.testdir({});
    const context = { dataDir, log: silentLogger };
    const sealingKeyFile = join(dataDir, "keys", "sealing.key");
    const disk = await openKeyManager({ type: "disk", sealingKeyFile }, context);
    const { spki } = await disk.create("one", "ec-p256");
    const again = await openKeyManager({ type: "disk", sealingKeyFile }, context);
    t.strictSame((await again.get("one"))?.spki, spki);
    t.equal((await stat(sealingKeyFile)).mode & 0o777, 0o600);
    await rename(sealingKeyFile, join(dataDir, "left-out.key"));
    await t.rejects(openKeyManager({ type: "disk", sealingKeyFile }, context), {
      name: "IdentityError",
      reason: "SEALING_KEY_MISSING",
    });
    const memory = await openKeyManager({ type: "memory" }, context);
    t.strictSame(await memory.list(), []);
  },
);
