// The revocation lists of tasks: what is on them when, whom they concern, and what OpenSSL makes of them.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import t, { type Test } from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { parseCrl } from "../../../pki/x509/crl.ts";
import { issueCrl } from "../../../pki/x509/crl-issue.ts";
import { CrlSet } from "../../../pki/x509/crl-set.ts";
import { crlPointsOf } from "../../../pki/x509/distribution-point.ts";
import { issueX509Leaf } from "../../../pki/x509/issue.ts";
import { formatPem } from "../../../pki/x509/pem.ts";
import { createLogger } from "../../../runtime/log.ts";
import { crlUrlOf, taskCrlUrlOf } from "../../../server/documents/crl-endpoint.ts";
import type { KnownTask } from "../../../server/store/task-record.ts";
import { TaskCrls } from "../../../server/tasks/crls.ts";
import type { TaskSerial } from "../../../server/tasks/orders.ts";
import { startTestCa } from "../../support/test-ca.ts";

const run = promisify(execFile);
const URL = "http://crl.north.test:8080";
const ULID = "01JD0000000000000000000001";

async function start(t: Test) {
  const ca = await startTestCa(t);
  const own = ca.authorities.x509();
  const [authorityId = ""] = ca.authorities.x509ListSigners().keys();
  const taskCrlUrl = taskCrlUrlOf(URL, authorityId);
  const issuer = { ...own, crlUrl: crlUrlOf(URL, authorityId), taskCrlUrl };
  const refused: KnownTask[] = [];
  const serials = new Map<string, TaskSerial[]>();
  const listeners = new Set<() => void>();
  const crls = new TaskCrls({
    tasks: {
      refused: () => refused,
      serialsOf: (id) => serials.get(id) ?? [],
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    signers: () => ca.authorities.x509ListSigners(),
    urlOf: (id) => taskCrlUrlOf(URL, id),
    clock: ca.clock,
    log: createLogger({ level: "silent" }),
  });
  t.teardown(() => crls.stop());
  const nowMs = ca.clock.now().getTime();
  /** The list, after the time that may lie between two. */
  const current = async (id: string): Promise<Uint8Array | undefined> => {
    const signed = crls.current(id);
    await ca.clock.advance(250);
    return signed;
  };
  return {
    ca,
    own,
    current,
    authorityId,
    issue: (path: string, isTask: boolean) =>
      issueX509Leaf(issuer, {
        spki: generateP256KeyPair().spki,
        spiffeId: SpiffeId.parse(`spiffe://north.test${path}`),
        notBefore: new Date(nowMs - 10_000),
        notAfter: new Date(nowMs + 300_000),
        isTask,
      }),
    note(id: string, serial: string): void {
      const row = { authorityId, serial, expiresAtUnixSeconds: nowMs / 1000 + 300 };
      serials.set(id, [...(serials.get(id) ?? []), row]);
    },
    /** Ends a task, or suspends it. */
    set(id: string, state: "COMPLETED" | "SUSPENDED" | "ACTIVE"): void {
      const at = refused.findIndex((one) => one.id === id);
      if (at >= 0) refused.splice(at, 1);
      const times = { endedAtMs: nowMs, lastActiveMs: nowMs };
      if (state !== "ACTIVE") refused.push({ id, state, ...times } as unknown as KnownTask);
      for (const listener of listeners) listener();
    },
  };
}

t.test("names a list of its own in SVIDs of tasks, and another one in all others", async (t) => {
  const { issue, authorityId } = await start(t);
  const task = await issue(`/agent/a/task/${ULID}`, true);
  const plain = await issue("/agent/a", false);
  t.same(crlPointsOf(task), [`${URL}/crl/${authorityId}/tasks.crl`]);
  t.same(crlPointsOf(plain), [`${URL}/crl/${authorityId}.crl`]);
});

t.test("lists the SVIDs of a task that ended, on hold while it is suspended", async (t) => {
  const { issue, note, set, current, authorityId } = await start(t);
  const leaf = await issue(`/agent/a/task/${ULID}`, true);
  const other = await issue(`/agent/a/task/${ULID.replace(/1$/, "2")}`, true);
  note(ULID, leaf.serialHex);
  const read = async () => parseCrl((await current(authorityId)) ?? new Uint8Array());
  const first = await read();
  t.equal(first.size, 0);
  t.same(first.scope, [`${URL}/crl/${authorityId}/tasks.crl`]);
  set(ULID, "SUSPENDED");
  const held = await read();
  t.equal(held.reasonOf(leaf.serialHex), "certificate-hold", "signed when asked for");
  t.equal(held.reasonOf(other.serialHex), undefined);
  set(ULID, "ACTIVE");
  t.equal((await read()).size, 0, "let go on");
  set(ULID, "COMPLETED");
  const last = await read();
  t.equal(last.reasonOf(leaf.serialHex), "cessation-of-operation");
  t.ok((last.number ?? 0n) > (first.number ?? 0n));
  t.equal(await current("ab".repeat(20)), undefined, "an authority that is not ours");
});

t.test("a list of tasks speaks of SVIDs of tasks alone, and a full list of all", async (t) => {
  const { own, ca, issue, authorityId } = await start(t);
  const task = await issue(`/agent/a/task/${ULID}`, true);
  const plain = await issue("/agent/a", false);
  const nowMs = ca.clock.now().getTime();
  const list = async (number: bigint, scope: string | undefined, serials: string[]) =>
    parseCrl(
      await issueCrl({
        issuer: own,
        number,
        thisUpdate: new Date(nowMs),
        nextUpdate: new Date(nowMs + 60_000),
        revoked: serials.map((serial) => ({ serial, revokedAt: new Date(nowMs) })),
        scope,
      }),
    );
  const scope = taskCrlUrlOf(URL, authorityId);
  const both = [task.serialHex, plain.serialHex];
  const of = (set: CrlSet) => [task, plain].map((one) => set.revocationOf(one, own.certificate));
  t.same(of(new CrlSet([await list(1n, scope, both)])), ["unspecified", undefined]);
  t.same(of(new CrlSet([await list(1n, `${URL}/other.crl`, both)])), [undefined, undefined]);
  t.same(of(new CrlSet([await list(1n, undefined, both)])), ["unspecified", "unspecified"]);
  // A newer list of a part must not take the place of the full one, nor the other way round.
  const full = await list(1n, undefined, [plain.serialHex]);
  const part = await list(9n, scope, [task.serialHex]);
  t.same(of(new CrlSet([full, part])), ["unspecified", "unspecified"]);
  const newer = await list(99n, undefined, []);
  t.same(of(new CrlSet([newer, part])), ["unspecified", undefined]);
});

t.test("OpenSSL takes a task's SVID until it ends, and then refuses it", async (t) => {
  if (
    await run("openssl", ["version"]).then(
      () => false,
      () => true,
    )
  ) {
    t.pass("there is no openssl here");
    return;
  }
  const { ca, own, issue, note, set, current, authorityId } = await start(t);
  const leaf = await issue(`/agent/a/task/${ULID}`, true);
  const plain = await issue("/agent/a", false);
  note(ULID, leaf.serialHex);
  note(ULID, plain.serialHex);
  const folder = t.testdir({});
  const at = String(Math.floor(ca.clock.now().getTime() / 1000));
  const write = (name: string, type: string, der: Uint8Array): string => {
    writeFileSync(join(folder, name), formatPem(type, der));
    return join(folder, name);
  };
  const root = write("ca.pem", "CERTIFICATE", own.certificate.der);
  const files = {
    task: write("task.pem", "CERTIFICATE", leaf.der),
    plain: write("plain.pem", "CERTIFICATE", plain.der),
  };
  const verify = async (file: string): Promise<string> => {
    const der = (await current(authorityId)) ?? new Uint8Array();
    const list = write("crl.pem", "X509 CRL", der);
    const args = ["verify", "-attime", at, "-crl_check", "-extended_crl", "-CRLfile", list];
    return run("openssl", [...args, "-CAfile", root, file]).then(
      ({ stdout }) => stdout,
      (error: { stderr: string; stdout: string }) => error.stderr + error.stdout,
    );
  };
  t.match(await verify(files.task), /: OK/);
  set(ULID, "COMPLETED");
  t.match(await verify(files.task), /certificate revoked/);
  // Of another distribution point: the list is none for it, though its serial number is on it.
  t.match(await verify(files.plain), /unable to get certificate CRL|different CRL scope/i);
  t.equal(parseCertificate(leaf.der).serialHex, leaf.serialHex);
});
