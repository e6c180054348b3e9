// The X.509 identity of a task, for TLS: like an X509Source, but over with its task. While the task is
// suspended or parked, and after its end, it answers with errors, which closes the connections made with it.

import { type IdentityError, pkiError } from "../../pki/errors.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { type Certificate, parseCertificates } from "../../pki/x509/certificate.ts";
import type { CrlSet } from "../../pki/x509/crl-set.ts";
import type { X509Svid } from "../../pki/x509/svid.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";
import { Listeners } from "../listeners.ts";
import { invalid, reading } from "../response.ts";
import type { TlsSource } from "../tls/source.ts";
import { isEndState, type TaskEndState, type TaskInfo } from "./task-info.ts";
import type { TaskKey } from "./task-key.ts";

/** Whom a task trusts, when it is to be more than its own trust domain: an `X509Source`, for example. */
export type TaskTrust = Pick<TlsSource, "anchorsOf" | "crls" | "onChange">;

/** An SVID that came from the node agent. */
export interface TaskSvid {
  readonly svid: X509Svid;
  readonly bundle: readonly Certificate[];
}

/** Reads an SVID of a task with this key. @throws WORKLOAD_API_RESPONSE_INVALID */
export function readTaskSvid(
  wire: signet.task.v1.TaskX509SVID,
  key: TaskKey,
  { spiffeId }: Pick<TaskInfo, "spiffeId">,
): TaskSvid {
  return reading("TaskX509SVID", () => {
    const svid = key.svidOf(parseCertificates(wire.x509Svid).map(({ der }) => der));
    if (!svid.id.equals(spiffeId)) throw invalid(`the SVID of ${spiffeId} is one of ${svid.id}`);
    return { svid, bundle: parseCertificates(wire.bundle) };
  });
}

export interface TaskX509Options {
  readonly clock: Clock;
  readonly trust?: TaskTrust | undefined;
  /** Throws when the task does not go on now. */
  readonly assertGoesOn: () => void;
}

export class TaskX509 implements TlsSource {
  readonly #options: TaskX509Options;
  readonly #listeners: Listeners<void> = new Listeners();
  #held: TaskSvid;

  constructor(first: TaskSvid, options: TaskX509Options) {
    this.#held = first;
    this.#options = options;
  }

  /**
   * The SVID to show now, with its private key.
   * @throws TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, IDENTITY_EXPIRED when the agent has not renewed it
   */
  svid(): X509Svid {
    this.#options.assertGoesOn();
    const { svid } = this.#held;
    if (svid.leaf.notAfter > this.#options.clock.now()) return svid;
    throw clientError("IDENTITY_EXPIRED", `the SVID of ${svid.id} has expired`, {
      hint: "the agent has not renewed it: check that it runs and reaches its server",
    });
  }

  /** The authorities of a trust domain. @throws TASK_ENDED, TASK_SUSPENDED, TASK_PARKED */
  readonly anchorsOf = (trustDomain: TrustDomain): readonly Certificate[] | undefined => {
    const { assertGoesOn, trust } = this.#options;
    assertGoesOn();
    if (trust !== undefined) return trust.anchorsOf(trustDomain);
    const { svid, bundle } = this.#held;
    return trustDomain.equals(svid.id.trustDomain) ? bundle : undefined;
  };

  /** What is known to be revoked: nothing, unless `trust` knows. */
  readonly crls = (): CrlSet | undefined => this.#options.trust?.crls?.();

  /** Calls `listener` after each change, the task's end included; returns how to stop that. */
  onChange(listener: () => void): () => void {
    const stops = [this.#listeners.add(listener), this.#options.trust?.onChange(listener)];
    return () => {
      for (const stop of stops) stop?.();
    };
  }

  /** Takes a renewed SVID, for the task that holds this. */
  replace(next: TaskSvid): void {
    this.#held = next;
    this.#listeners.tell();
  }

  /** Tells the listeners that the task's state has changed. */
  changed(): void {
    this.#listeners.tell();
  }
}

/** Why a task in this state has no credentials; undefined when it has. */
export function stoppedBy({ id, state, stateReason }: TaskInfo): IdentityError | undefined {
  if (isEndState(state)) return endedError(id, state, stateReason);
  const why = stateReason === "" ? "" : `: ${stateReason}`;
  if (state === "SUSPENDED") {
    return pkiError("TASK_SUSPENDED", `the task ${id} is suspended${why}`, {
      hint: "wait until an operator lets it go on: 'signet task unsuspend'",
    });
  }
  if (state === "PARKED") {
    return pkiError("TASK_PARKED", `the task ${id} is parked${why}`, { hint: "resume it first" });
  }
  return undefined;
}

/** What is said of a task that is over; `state` is undefined when nobody knows how it ended. */
export function endedError(
  id: string,
  state: TaskEndState | undefined,
  reason: string,
): IdentityError {
  const hint = "open another task for what is left to do";
  // Somebody else's words, which name the task already.
  if (state === undefined && reason.includes(id)) return pkiError("TASK_ENDED", reason, { hint });
  const how = state === undefined ? "" : ` (${state})`;
  const why = reason === "" ? "" : `: ${reason}`;
  return pkiError("TASK_ENDED", `the task ${id} has ended${how}${why}`, { hint });
}
