// How the answers of several attestors become the selectors of a process.

import t from "tap";
import type { Peer } from "../../../agent/peer/index.ts";
import {
  type WorkloadAttestor,
  workloadAttestation,
} from "../../../agent/workload-attestors/index.ts";
import { createLogger } from "../../../runtime/log.ts";

const lines: string[] = [];
const log = createLogger({ destination: { write: (line) => lines.push(line) } });
const signal = new AbortController().signal;

const peer = (isAlive = () => true): Peer => ({
  pid: 42,
  uid: 1000,
  gid: 1000,
  groups: [],
  startTime: 1n,
  isAlive,
  onExit: () => () => undefined,
  executable: () => undefined,
  parentPid: () => 1,
  close: () => undefined,
});

const good: WorkloadAttestor = {
  name: "good",
  attest: async () => [{ type: "good", value: "yes" }],
};
const bad: WorkloadAttestor = { name: "bad", attest: () => Promise.reject(new Error("no socket")) };
const worse: WorkloadAttestor = {
  name: "worse",
  attest: () => {
    throw new Error("at once");
  },
};

t.test("one that fails is logged and left out", async (t) => {
  const all = workloadAttestation({ attestors: [bad, good, worse], log });
  t.same(await all.attest(peer(), signal), [{ type: "good", value: "yes" }]);
  t.match(lines.join(""), /"attestor":"bad".*no socket/);
  t.match(lines.join(""), /"attestor":"worse".*at once/);
});

t.test("only when all fail is it an error, and one that may pass", async (t) => {
  const none = workloadAttestation({ attestors: [bad, worse], log });
  await t.rejects(none.attest(peer(), signal), { reason: "ATTESTATION_FAILED", code: 14 });
});

t.test("a process that ended meanwhile gets nothing", async (t) => {
  let alive = true;
  const slow: WorkloadAttestor = {
    name: "slow",
    attest: async () => {
      alive = false;
      return [{ type: "slow", value: "of whoever has the pid now" }];
    },
  };
  const all = workloadAttestation({ attestors: [slow], log });
  await t.rejects(
    all.attest(
      peer(() => alive),
      signal,
    ),
    { reason: "CALLER_GONE", code: 14 },
  );
});

t.test("ends with its signal", async (t) => {
  const all = workloadAttestation({ attestors: [good], log });
  await t.rejects(all.attest(peer(), AbortSignal.abort(new Error("cancelled"))), {
    message: "cancelled",
  });
});
