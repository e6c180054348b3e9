// Events that node agents pass on: what they and the guards on their nodes have seen. An event that comes
// twice is one event, also after a restart. What does not fit is not taken, and that is an event too: an
// agent that tried it again and again would never pass on what comes after it.
import { IdentityError } from "../../pki/errors.ts";
import { isUlid } from "../../pki/task-id.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { serverError } from "../errors.ts";
import {
  type AuditEvent,
  type AuditOutcome,
  type AuditStream,
  checkEvent,
  type ObservedBy,
  withoutSecrets,
} from "./event.ts";
import type { AuditLog } from "./log.ts";
import { parseLine, QueryReader, tailsOf } from "./query.ts";

/** What nodes have a view of. What the server does itself, it alone writes down. */
const STREAMS: readonly AuditStream[] = [
  "task",
  "decision",
  "tool_call",
  "secret_access",
  "data_retrieval",
  "downstream_call",
  "escalation",
];
const OBSERVERS: readonly string[] = ["node", "guard", "agent"] satisfies ObservedBy[];
/** IDs that are known again. */
const WINDOW = 100_000;
/** Of each stream, how much is read at the start for the IDs in it. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const MAX_EVENTS = 1000;
const PER_SECOND = 1000;
const BURST = 10_000;
const MAX_NODES = 50_000;

export interface PassedOnOptions {
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Logger;
}

export class PassedOn {
  readonly #options: PassedOnOptions;
  readonly #listeners = new Set<(event: AuditEvent) => Promise<void>>();
  readonly #known = new Map<string, Promise<void>>();
  /** Events that each node may still send, and since when. */
  readonly #allowances = new Map<string, { left: number; atMs: number }>();

  private constructor(options: PassedOnOptions) {
    this.#options = options;
  }

  /** Reads which events of nodes are in the log already. */
  static async start(options: PassedOnOptions): Promise<PassedOn> {
    const passedOn = new PassedOn(options);
    const reader = new QueryReader(
      options.audit.folder,
      { streams: STREAMS },
      await tailsOf(options.audit.folder, WINDOW_BYTES),
    );
    const fromNodes = /"observed_by":"(?:node|guard|agent)"/;
    for await (const line of reader.read()) {
      if (!fromNodes.test(line.bytes.toString("latin1", 0, 600))) continue;
      const { observed_by, observer, detail } = parseLine(line);
      const node = observed_by === "node" ? observer : (detail?.["node"] ?? "");
      passedOn.#remember(`${node} ${line.id}`, Promise.resolve());
    }
    await reader.close();
    return passedOn;
  }

  /**
   * Takes events that a node agent passes on; resolves once they are on the disk.
   * @throws AUDIT_REQUEST_INVALID, RATE_LIMITED, AUDIT_UNWRITABLE
   */
  async take(events: readonly signet.audit.v1.Event[], node: string): Promise<void> {
    const { audit } = this.#options;
    if (events.length > MAX_EVENTS) {
      throw serverError("AUDIT_REQUEST_INVALID", `${events.length} events came in one call`, {
        hint: `pass on at most ${MAX_EVENTS} in a call`,
      });
    }
    this.#takeAllowance(node, events.length);
    const written = events.map((event) => this.#takeOne(event, node));
    const results = await Promise.allSettled(written);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    await audit.sync();
  }

  /** Told of each event of a node once it is in the log, until the returned function is called. */
  onHeard(listener: (event: AuditEvent) => Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #takeOne(wire: signet.audit.v1.Event, node: string): Promise<void> {
    // Of each node by itself: none may say beforehand what another will have seen.
    const name = `${node} ${wire.id}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    let event: AuditEvent;
    try {
      event = eventFrom(wire, node);
      checkEvent(event);
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error;
      return this.#refuse(wire, node, error);
    }
    const written = this.#write(event);
    this.#remember(name, written);
    // One that could not be written comes again.
    written.catch(() => this.#known.delete(name));
    return written;
  }

  async #write(event: AuditEvent): Promise<void> {
    await this.#options.audit.append(event);
    for (const listener of this.#listeners) {
      listener(event).catch((error: unknown) => {
        this.#options.log.error({ error, event: event.id }, "an event could not be reacted to");
      });
    }
  }

  async #refuse(wire: signet.audit.v1.Event, node: string, error: IdentityError): Promise<void> {
    this.#options.log.warn({ agent_id: node, error }, "an event of a node is refused");
    await this.#options.audit.append({
      stream: "admin",
      type: "audit.refused",
      outcome: "denied",
      destination: node,
      reason: error.reason,
      ...(isUlid(wire.id) && { detail: { event: wire.id } }),
    });
  }

  #remember(name: string, written: Promise<void>): void {
    this.#known.set(name, written);
    if (this.#known.size <= WINDOW) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  #takeAllowance(node: string, count: number): void {
    const nowMs = this.#options.clock.now().getTime();
    const before = this.#allowances.get(node) ?? { left: BURST, atMs: nowMs };
    const earned = (Math.max(0, nowMs - before.atMs) / 1000) * PER_SECOND;
    const left = Math.min(BURST, before.left + earned);
    if (left < count) {
      throw serverError("RATE_LIMITED", `"${node}" passes on too many events`, {
        hint: `try again in ${Math.ceil((count - left) / PER_SECOND)} s`,
      });
    }
    this.#allowances.delete(node);
    this.#allowances.set(node, { left: left - count, atMs: nowMs });
    const [oldest] = this.#allowances.keys();
    if (this.#allowances.size > MAX_NODES && oldest !== undefined) this.#allowances.delete(oldest);
  }
}

/** An event as a node tells it: who observed it is the node itself, or whom it has attested. */
function eventFrom(wire: signet.audit.v1.Event, node: string): AuditEvent {
  const { stream, observedBy, credential } = wire;
  if (!STREAMS.includes(stream as AuditStream))
    throw refused(`it is not for the stream "${stream.slice(0, 40)}"`);
  if (!OBSERVERS.includes(observedBy))
    throw refused("it was not observed by a node, guard or agent");
  if (!isUlid(wire.id)) throw refused("its ID is no ULID");
  const isNodes = observedBy === "node";
  if (!isNodes && !wire.observer.startsWith("spiffe://"))
    throw refused("it does not say whose word it is");
  const { timeMs, decisionId, policyHash, argsDigest, assurance, traceId } = wire;
  const { agent, task, root, parent, principal, action, resource, destination, reason } = wire;
  const texts = { agent, task, root, parent, principal, action, resource, destination, reason };
  return withoutSecrets({
    stream: stream as AuditStream,
    type: wire.type,
    outcome: wire.outcome as AuditOutcome,
    id: wire.id,
    time: new Date(Number(timeMs)),
    observedBy: observedBy as ObservedBy,
    observer: isNodes ? node : wire.observer,
    ...texts,
    decisionId,
    policyHash,
    argsDigest,
    assurance,
    traceId,
    ...(credential !== undefined && {
      credential: { kind: credential.kind, name: credential.name, sha256: credential.sha256 },
    }),
    detail: { ...wire.detail, ...(!isNodes && { node }) },
  });
}

function refused(why: string): IdentityError {
  return serverError("AUDIT_EVENT_INVALID", `an event is refused: ${why}`);
}
