import { randomFillSync } from "node:crypto";
import t from "tap";
import { Status } from "../../pki/errors.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import {
  firstUlidOf,
  isUlid,
  newUlid,
  parseTaskId,
  taskSpiffeId,
  Ulids,
} from "../../pki/task-id.ts";

const at = new Date("2026-11-23T02:00:00.123Z");
const ulid = "01KAR0000000000000000000ZZ";

t.test("writes a moment and its random bits as the specification does", async (t) => {
  // The example of the ULID specification's encoding: time 1469918176385, and the largest of all.
  t.equal(newUlid(new Date(1469918176385), new Uint8Array(10)).slice(0, 10), "01ARYZ6S41");
  const last = newUlid(new Date(0xffff_ffff_ffff), new Uint8Array(10).fill(255));
  t.equal(last, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  t.equal(newUlid(new Date(0), new Uint8Array(10)), "0".repeat(26));
  t.throws(() => newUlid(new Date(-1), new Uint8Array(10)), TypeError);
  t.throws(() => newUlid(at, new Uint8Array(9)), TypeError);
});

t.test("takes one spelling: uppercase, without I, L, O and U, at most 128 bits", async (t) => {
  t.ok(isUlid(ulid));
  let accepted = "";
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    if (isUlid(`0${character}${"0".repeat(24)}`)) accepted += character;
  }
  t.equal(accepted, "0123456789ABCDEFGHJKMNPQRSTVWXYZ");
  for (const text of ["", ulid.slice(1), `${ulid}0`, ulid.toLowerCase(), `8${ulid.slice(1)}`]) {
    t.notOk(isUlid(text), text);
  }
  t.notOk(isUlid(`${ulid}\n`));
});

t.test("grows within a millisecond and while the clock is set back a little", async (t) => {
  const ulids = new Ulids((bytes) => randomFillSync(bytes));
  let former = "";
  let growing = 0;
  for (let i = 0; i < 5000; i++) {
    const next = ulids.next(new Date(at.getTime() + Math.floor(i / 1000) - (i % 7)));
    if (isUlid(next) && next > former) growing++;
    former = next;
  }
  t.equal(growing, 5000);
  const back = ulids.next(new Date(at.getTime() - 3_600_000));
  const earlier = newUlid(new Date(at.getTime() - 3_600_000), new Uint8Array(10));
  t.equal(back.slice(0, 10), earlier.slice(0, 10), "but follows a clock that was put right");
  t.ok(firstUlidOf(at) < newUlid(at, new Uint8Array(10).fill(1)));
});

t.test("says the moment and the random bits as newUlid does, whatever they are", async (t) => {
  for (const fill of [0, 255, 0b10101010]) {
    const ulids = new Ulids((bytes) => bytes.fill(fill));
    for (const ms of [0, 1, at.getTime(), at.getTime() + 5000, 0xffff_ffff_ffff]) {
      const next = ulids.next(new Date(ms));
      t.ok(isUlid(next));
      t.equal(next.slice(0, 10), newUlid(new Date(ms), new Uint8Array(10)).slice(0, 10));
      if (fill === 0) t.equal(next.slice(10), "0".repeat(16));
      if (fill === 255) t.equal(next.slice(10), "ZZZZZZZZZZFZZZZZ", "all but the room to count");
    }
  }
});

t.test("reads the SPIFFE ID of a task, and takes nothing else for one", async (t) => {
  const agent = "spiffe://north.test/agent/researcher";
  const id = taskSpiffeId(agent, ulid);
  t.equal(id.toString(), `${agent}/task/${ulid}`);
  t.same(parseTaskId(id), { agent, ulid });
  for (const text of [
    agent,
    `spiffe://north.test/task/${ulid}`,
    `${agent}/tasks/${ulid}`,
    `${agent}/Task/${ulid}`,
    `${agent}task/${ulid}`,
    `${agent}/task/${ulid.toLowerCase()}`,
    `${agent}/task/${ulid}/more`,
    `${agent}/task/x${ulid}`,
    `${agent}/task`,
  ]) {
    t.equal(parseTaskId(SpiffeId.parse(text)), undefined, text);
  }
  t.throws(() => taskSpiffeId(`spiffe://north.test/${"a".repeat(2010)}`, ulid), {
    reason: "SPIFFE_ID_INVALID",
    code: Status.invalidArgument,
  });
});
