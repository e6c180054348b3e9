// What is built for AI agents and tasks goes past whoever wants none of it: while tasks are opened and end
// beside them, plain entries and plain SPIFFE clients get the very bytes that they got before, and nothing
// is pushed to them. A real server and a real node agent, read as raw messages.
import t from "tap";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import {
  codecOf,
  EntryService,
  RegistryService,
  SpiffeWorkloadApi,
  TaskAPIService,
  TaskControlService,
} from "../../proto/schema.gen.ts";
import { parseSelector } from "../../proto/types/selector.ts";
import { TestTrustDomain } from "../support/trust-domain.ts";

const HEADER = { "workload.spiffe.io": "true" };
/** Long enough for whatever were pushed: changes reach a stream within a few milliseconds. */
const QUIET_MS = 300;

/** Every message of a stream so far, as bytes in hexadecimal. */
class Recorded {
  readonly messages: string[] = [];
  readonly #abort = new AbortController();
  readonly #reading: Promise<void>;

  constructor(name: string, open: (signal: AbortSignal) => AsyncIterable<unknown>) {
    const codec = codecOf(name as "X509SVIDResponse");
    this.#reading = (async () => {
      try {
        for await (const message of open(this.#abort.signal)) {
          this.messages.push(Buffer.from(codec.encode(message as never)).toString("hex"));
        }
      } catch {
        // aborted below
      }
    })();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#reading;
  }
}

const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

t.test("plain SPIFFE clients and plain entries notice nothing of tasks", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  const plain = await domain.createEntry({ path: "/plain" });
  const admin = createChannel({ address: { unix: domain.server?.adminSocket ?? "" } });
  t.teardown(() => admin.close());
  const socket = `${domain.folder}/agent.sock`;
  const channel = createChannel({ address: { unix: socket }, metadata: HEADER });
  t.teardown(() => channel.close());
  const workload = channel.client(SpiffeWorkloadApi);

  const record = () => [
    new Recorded("X509SVIDResponse", (signal) => workload.fetchX509SVID({}, { signal })),
    new Recorded("X509BundlesResponse", (signal) => workload.fetchX509Bundles({}, { signal })),
    new Recorded("JWTBundlesResponse", (signal) => workload.fetchJWTBundles({}, { signal })),
  ];
  const entryBytes = async (): Promise<string> => {
    const entry = await admin.client(EntryService).getEntry({ id: plain.id });
    return Buffer.from(codecOf("spire.api.types.Entry").encode(entry)).toString("hex");
  };
  const streams = record();
  t.teardown(() => Promise.all(streams.map((stream) => stream.stop())));
  await quiet();
  const before = streams.map(({ messages }) => messages.at(-1));
  const counts = streams.map(({ messages }) => messages.length);
  t.ok(
    before.every((message) => (message?.length ?? 0) > 100),
    "every stream has said something",
  );
  const entryBefore = await entryBytes();

  const validUntil = Math.floor(Date.now() / 1000) + 3600;
  // An AI agent of another user, whose processes are not this one; it opens nothing by itself.
  const aiAgent = `spiffe://${domain.name}/ai/elsewhere`;
  const ceiling = {
    locations: { any: true },
    actions: { any: true },
    environment: { values: ["test"] },
  };
  const registry = admin.client(RegistryService);
  await registry.createAiAgent({
    aiAgent: {
      spiffeId: aiAgent,
      owner: "team:test",
      purpose: "to be noticed by nobody",
      environment: "test",
      validUntil,
      ceiling,
      taskClasses: ["standard"],
    },
    entry: {
      spiffeId: { trustDomain: domain.name, path: "/ai/elsewhere" },
      parentId: {
        trustDomain: domain.name,
        path: (await domain.agentId()).slice(`spiffe://${domain.name}`.length),
      },
      selectors: [parseSelector("unix:uid:4242424242")],
    },
  });
  const control = admin.client(TaskControlService);
  const { task } = await control.createTask({
    aiAgent,
    task: { taskClass: "standard", purpose: "none" },
  });
  await control.revokeTask({ id: task?.id ?? "", reason: "over" });
  await quiet();
  t.same(
    streams.map(({ messages }) => messages.length),
    counts,
    "an AI agent was registered, a task was made and revoked: nothing was pushed to plain streams",
  );

  // Tasks of the plain client's own user, on the same node and the same socket.
  const own = `spiffe://${domain.name}/ai/own`;
  await registry.createAiAgent({
    aiAgent: {
      spiffeId: own,
      owner: "team:test",
      purpose: "to be noticed by nobody",
      environment: "test",
      validUntil,
      ceiling,
      taskClasses: ["standard"],
    },
    entry: {
      spiffeId: { trustDomain: domain.name, path: "/ai/own" },
      parentId: {
        trustDomain: domain.name,
        path: (await domain.agentId()).slice(`spiffe://${domain.name}`.length),
      },
      selectors: [parseSelector("launch:name:own")],
    },
  });
  await quiet();
  t.same(
    streams.map(({ messages }) => messages.length),
    counts,
    "nor by an AI agent of this node",
  );
  t.equal(await entryBytes(), entryBefore, "the entry is the same, byte for byte");
  const again = record();
  await quiet();
  t.same(
    again.map(({ messages }) => messages.at(-1)),
    before,
    "who asks again gets the same bytes",
  );
  await Promise.all(again.map((stream) => stream.stop()));

  // The plain client becomes an AI agent as well: its own identity is still the same bytes, and the tasks
  // that it opens are on none of its ordinary streams.
  await registry.createAiAgent({
    aiAgent: {
      spiffeId: plain.spiffeId,
      owner: "team:test",
      purpose: "tasks of a plain entry",
      environment: "test",
      validUntil,
      ceiling,
      taskClasses: ["standard"],
    },
  });
  const keyPair = generateP256KeyPair();
  const opened = await channel.client(TaskAPIService).openTask({
    taskClass: "standard",
    purpose: "on the ordinary socket",
    csr: createCsr(keyPair),
  });
  t.match(opened.task?.spiffeId, /^spiffe:\/\/north\.test\/plain\/task\/[0-9A-HJKMNP-TV-Z]{26}$/);
  await quiet();
  await control.revokeTask({ id: opened.task?.id ?? "", reason: "over" });
  await quiet();
  t.same(
    streams.map(({ messages }) => messages.length),
    counts,
    "a task of its own was opened and ended: its ordinary streams said nothing",
  );
  t.equal(await entryBytes(), entryBefore, "the entry is still the same, byte for byte");
});
