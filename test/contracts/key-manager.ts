// What every key manager must do, as a suite over a factory. `reopen` opens the same keys again as a
// restarted process would; a kind that keeps nothing leaves it out.

import { verify } from "node:crypto";
import type { Test } from "tap";
import { KEY_TYPES, type KeyType } from "../../pki/keys.ts";
import type { KeyManager } from "../../server/keymanager/key-manager.ts";

export interface KeyManagerUnderTest {
  readonly manager: KeyManager;
  readonly reopen?: () => Promise<KeyManager>;
}

const data = Buffer.from("what is signed");

/** Runs the suite: each test gets a fresh key manager from `make`. */
export function keyManagerContract(
  t: Test,
  make: (t: Test) => Promise<KeyManagerUnderTest>,
  keyTypes: readonly KeyType[] = KEY_TYPES,
): void {
  for (const keyType of keyTypes) {
    t.test(`makes a key of type ${keyType} that signs`, async (t) => {
      const { manager } = await make(t);
      const signer = await manager.create("one", keyType);
      t.equal(signer.keyId, "one");
      t.equal(signer.keyType, keyType);
      const signature = await signer.sign(data, "sha256");
      t.ok(verify("sha256", data, signer.publicKey, signature));
      t.notOk(verify("sha256", Buffer.from("other"), signer.publicKey, signature));
      t.strictSame(
        signer.spki,
        new Uint8Array(signer.publicKey.export({ type: "spki", format: "der" })),
      );
    });
  }

  t.test("signs at once with a P-256 key of this process", async (t) => {
    const { manager } = await make(t);
    const signer = await manager.create("one", "ec-p256");
    if (signer.privateKey === undefined) return t.pass("keys do not live in this process");
    const signature = signer.signSync?.(data, "sha256");
    t.ok(signature && verify("sha256", data, signer.publicKey, signature));
    return undefined;
  });

  t.test("finds a key by its ID, and nothing under another ID", async (t) => {
    const { manager } = await make(t);
    const signer = await manager.create("one", "ec-p256");
    t.strictSame((await manager.get("one"))?.spki, signer.spki);
    t.equal(await manager.get("two"), undefined);
  });

  t.test("lists keys in the order of their IDs", async (t) => {
    const { manager } = await make(t);
    t.strictSame(await manager.list(), []);
    for (const id of ["b", "a.2", "C", "a-1"]) await manager.create(id, "ec-p256");
    t.strictSame(
      (await manager.list()).map(({ keyId }) => keyId),
      ["C", "a-1", "a.2", "b"],
    );
  });

  t.test("refuses a second key with the same ID and keeps the first", async (t) => {
    const { manager } = await make(t);
    const first = await manager.create("one", "ec-p256");
    await t.rejects(manager.create("one", "ec-p256"), { reason: "KEY_EXISTS", code: 6 });
    t.strictSame((await manager.get("one"))?.spki, first.spki);
  });

  t.test("lets exactly one of many concurrent creations of an ID win", async (t) => {
    const { manager } = await make(t);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => manager.create("one", "ec-p256")),
    );
    const won = outcomes.flatMap((outcome) =>
      outcome.status === "fulfilled" ? [outcome.value] : [],
    );
    t.equal(won.length, 1);
    t.strictSame((await manager.get("one"))?.spki, won[0]?.spki);
  });

  t.test("destroys a key, and destroying it again does nothing", async (t) => {
    const { manager, reopen } = await make(t);
    await manager.create("one", "ec-p256");
    await manager.create("two", "ec-p256");
    await manager.delete("one");
    await manager.delete("one");
    t.equal(await manager.get("one"), undefined);
    t.ok(await manager.get("two"));
    if (reopen) t.equal(await (await reopen()).get("one"), undefined);
  });

  t.test("gives an ID that was destroyed to a new key", async (t) => {
    const { manager } = await make(t);
    const first = await manager.create("one", "ec-p256");
    await manager.delete("one");
    t.notSame((await manager.create("one", "ec-p256")).spki, first.spki);
  });

  t.test("has the same keys after it is opened again", async (t) => {
    const { manager, reopen } = await make(t);
    if (reopen === undefined) return t.pass("it keeps nothing");
    const before = await Promise.all(
      ["a", "b", "c"].map((keyId) => manager.create(keyId, "ec-p256")),
    );
    const after = await (await reopen()).list();
    t.strictSame(
      after.map(({ spki }) => spki),
      before.map(({ spki }) => spki),
    );
    const signature = (await after[0]?.sign(data, "sha256")) ?? new Uint8Array();
    t.ok(before[0] && verify("sha256", data, before[0].publicKey, signature));
    return undefined;
  });

  for (const keyId of ["", "..", ".a", "a/b", "../a", "a\0", "a b", "ü", "a".repeat(129)]) {
    t.test(`takes ${JSON.stringify(keyId.slice(0, 20))} as a fault of the caller`, async (t) => {
      const { manager } = await make(t);
      await t.rejects(manager.create(keyId, "ec-p256"), TypeError);
      await t.rejects(manager.delete(keyId), TypeError);
      t.equal((await manager.list()).length, 0);
    });
  }
}
