// signet.link.v1.Link: the stream that feeds a node agent. The agent says where it stopped, gets what
// it missed or everything, then each change as it happens, and confirms what it has applied. Who may
// open it: server/api/authorize.ts. Which agents a change concerns: hub.ts.
import { IdentityError } from "../../pki/errors.ts";
import type { CallContext, Encoded, Handlers } from "../../proto/rpc/service.ts";
import type { LinkService, signet } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { agentOf } from "../api/authorize.ts";
import type { AuthorizedEntries } from "../entries/authorized.ts";
import { serverError } from "../errors.ts";
import type { BundleStore } from "../store/bundles.ts";
import type { CrlStore } from "../store/crls.ts";
import type { StorePosition } from "../store/epoch.ts";
import type { NodeStore } from "../store/nodes.ts";
import type { RevocationStore } from "../store/revocations.ts";
import type { TaskClassStore } from "../store/task-classes.ts";
import type { TaskStore } from "../store/tasks.ts";
import type { Cursors } from "./cursors.ts";
import type { LinkHub } from "./hub.ts";
import { DeltaEncoder, snapshotPages } from "./messages.ts";
import type { Session, Step } from "./session.ts";
import { taskClassRulesOf, taskStatusOf } from "./task-messages.ts";

/** The version of the link's messages that this server speaks. */
export const LINK_VERSION = 1;
const MAX_VERSION_LENGTH = 255;

export interface LinkOptions {
  readonly hub: LinkHub;
  readonly authorized: AuthorizedEntries;
  readonly bundles: BundleStore;
  readonly crls: CrlStore;
  readonly revocations: RevocationStore;
  readonly nodes: NodeStore;
  readonly tasks: TaskStore;
  readonly taskClasses: TaskClassStore;
  readonly cursors: Cursors;
  /** Told of a node agent that has seen more of this store than the store has. */
  readonly onAhead: (agentId: string, position: StorePosition) => void;
  readonly serverVersion: string;
}

type Requests = AsyncIterator<signet.link.v1.WatchRequest>;
type Response = Encoded | { readonly welcome: signet.link.v1.Welcome };

/** The handlers of the link. */
export function linkHandlers(options: LinkOptions): Handlers<typeof LinkService> {
  const encoder = new DeltaEncoder();
  return { watch: (requests, context) => watch(requests, context, options, encoder) };
}

async function* watch(
  requests: AsyncIterable<signet.link.v1.WatchRequest>,
  context: CallContext,
  options: LinkOptions,
  encoder: DeltaEncoder,
): AsyncGenerator<Response, void, undefined> {
  const { hub, cursors, serverVersion } = options;
  const agentId = agentOf(context).toString();
  const iterator = requests[Symbol.asyncIterator]();
  const hello = await readHello(iterator);
  await noteVersion(agentId, hello.agentVersion, options.nodes);
  const cursor = revisionOf(agentId, hello.cursor, options);
  const { session, resumed } = hub.open({ id: agentId, version: hello.agentVersion }, cursor);
  const onAbort = (): void => session.end();
  context.signal.addEventListener("abort", onAbort, { once: true });
  if (context.signal.aborted) session.end();
  // Ends with the call, and never rejects.
  void readAcks(iterator, session, cursors);
  try {
    yield { welcome: { version: LINK_VERSION, resumed, serverVersion } };
    for (;;) {
      const step = await session.next();
      if (step === undefined) return;
      yield* messagesOf(step, session, options, encoder);
    }
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    hub.close(session);
  }
}

function* messagesOf(
  step: Step,
  session: Session,
  { hub, authorized, bundles, crls, revocations, tasks, taskClasses, cursors }: LinkOptions,
  encoder: DeltaEncoder,
): Generator<Encoded, void, undefined> {
  const cursorBefore = cursors.at(session.sentRevision);
  const { revision, bundleSequence } = hub;
  const cursor = cursors.at(revision);
  const agentId = session.agent.id;
  // Before the messages, not after: the confirmation may be back before this side is asked for more.
  session.sent(revision, bundleSequence);
  if (step.kind === "snapshot") {
    const entries = authorized.entriesOf(agentId);
    yield* snapshotPages({
      entries,
      bundles: bundles.list(),
      crls: [...crls.values()].filter(({ size }) => size > 0),
      revocations: [...revocations.values()],
      tasks: [...tasks.refused()].map(taskStatusOf),
      taskClasses: taskClasses.values().map(taskClassRulesOf),
      cursor,
    });
  } else {
    const entries: RegistrationEntry[] = [];
    const removedEntryIds: string[] = [];
    for (const id of step.entryIds) {
      const entry = authorized.find(agentId, id);
      if (entry === undefined) removedEntryIds.push(id);
      else entries.push(entry);
    }
    const held = [...step.trustDomains].map((name) => bundles.get(name) ?? name);
    const lists = [...step.crls].map((id) => {
      const list = crls.get(id);
      return list === undefined || list.size === 0 ? id : list;
    });
    const classes = [...step.taskClasses].map((name) => taskClasses.get(name) ?? name);
    yield* encoder.encode({
      entries,
      removedEntryIds,
      bundles: held.filter((bundle) => typeof bundle !== "string"),
      removedBundles: held.filter((bundle) => typeof bundle === "string"),
      crls: lists.filter((list) => typeof list !== "string"),
      removedCrls: lists.filter((list) => typeof list === "string"),
      revocations: [...step.revocations]
        .map((id) => revocations.get(id))
        .filter((record) => record !== undefined),
      // What memory has forgotten by now, node agents have too.
      tasks: [...step.tasks].flatMap((id) => {
        const task = tasks.get(id);
        return task === undefined ? [] : [taskStatusOf(task)];
      }),
      taskClasses: classes.filter((one) => typeof one !== "string").map(taskClassRulesOf),
      removedTaskClasses: classes.filter((one) => typeof one === "string"),
      reask: step.reask,
      cursor,
      cursorBefore,
    });
  }
}

async function readHello(requests: Requests): Promise<signet.link.v1.Hello> {
  const first = await requests.next();
  const hello = first.done === true ? undefined : first.value.hello;
  if (hello === undefined) {
    throw serverError("LINK_REQUEST_INVALID", "the first message of the link is not a hello");
  }
  if (hello.version !== LINK_VERSION) {
    throw serverError(
      "LINK_VERSION_UNSUPPORTED",
      `the agent speaks version ${hello.version} of the link, this server version ${LINK_VERSION}`,
      { hint: "run an agent of the server's version, or one minor version older" },
    );
  }
  return hello;
}

/** Where the agent stopped, if that says something here. @throws STORE_RESTORED */
function revisionOf(
  agentId: string,
  shown: signet.link.v1.Cursor | undefined,
  { cursors, onAhead }: LinkOptions,
): number | undefined {
  const cursor = cursors.read(shown);
  if (cursor.kind !== "ahead") return cursor.kind === "ours" ? cursor.revision : undefined;
  onAhead(agentId, cursor.position);
  throw serverError("STORE_RESTORED", "the server is an older one than the agent has seen", {
    hint: "the server starts again, and ends what may have ended already",
  });
}

async function noteVersion(agentId: string, version: string, nodes: NodeStore): Promise<void> {
  if (version.length > MAX_VERSION_LENGTH) {
    throw serverError("AGENT_VERSION_INVALID", "the agent's version is longer than 255 characters");
  }
  if (version === "" || nodes.get(agentId)?.agentVersion === version) return;
  await nodes.setVersion(agentId, version);
}

/** Takes in the agent's confirmations until its side ends; a side that breaks ends the session. */
async function readAcks(requests: Requests, session: Session, cursors: Cursors): Promise<void> {
  try {
    for (;;) {
      const { done, value } = await requests.next();
      if (done === true) break;
      if (value.ping !== undefined) {
        session.moveCursor();
        session.wake();
        continue;
      }
      if (value.ack === undefined) {
        throw serverError(
          "LINK_REQUEST_INVALID",
          "only confirmations and pings may follow the hello",
        );
      }
      const cursor = cursors.read(value.ack.cursor);
      if (cursor.kind === "ours") session.confirmed(cursor.revision);
    }
    session.end();
  } catch (error) {
    session.end(error instanceof IdentityError ? error : undefined);
  }
}
