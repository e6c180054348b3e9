// Signs how far the audit log is: every ten seconds, or as soon as a thousand events are new, if any are.
// Everything that is signed is on the disk before it is: no crash leaves a log shorter than what was
// signed of it.
import { formatCheckpoint, parseCheckpoint } from "../../pki/merkle/checkpoint.ts";
import { openNote, signNote } from "../../pki/merkle/note.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { readNewest, repairNotes, storeCheckpoint } from "./checkpoint-files.ts";
import type { CheckpointKey } from "./key.ts";
import type { AuditLog } from "./log.ts";
import { writeState } from "./state.ts";

const EVERY_MS = 10_000;
const EVERY_EVENTS = 1000;
const LOOK_EVERY_MS = 1000;

export interface CheckpointsOptions {
  readonly audit: AuditLog;
  readonly key: CheckpointKey;
  /** A second place for the newest, such as another disk. */
  readonly file?: string | undefined;
  /** Told of each that is stored. Must not throw, and nothing waits for it. */
  readonly onSigned?: (checkpoint: SignedCheckpoint) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A checkpoint as others get it. */
export interface SignedCheckpoint {
  readonly note: string;
  readonly size: number;
}

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  #newest: SignedCheckpoint | undefined;
  #signing: Promise<SignedCheckpoint> | undefined;
  #hasFailed = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** The newest; undefined when this process has signed none yet. */
  get newest(): SignedCheckpoint | undefined {
    return this.#newest;
  }

  get verifierKey(): string {
    return this.#options.key.verifier.text;
  }

  /** Signs when it is time, until the signal aborts, and a last time then. */
  async run(signal: AbortSignal): Promise<void> {
    const { audit, clock, log } = this.#options;
    await repairNotes(audit.folder).catch((error: unknown) =>
      log.error({ error }, "the checkpoints of the audit log cannot be read"),
    );
    this.#newest ??= await this.#stored();
    let lastMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const fresh = audit.size - (this.#newest?.size ?? 0);
      const nowMs = clock.now().getTime();
      const isTime = Math.abs(nowMs - lastMs) >= EVERY_MS;
      if (fresh > 0 && (isTime || fresh >= EVERY_EVENTS)) {
        if (await this.#try()) lastMs = nowMs;
      }
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** Signs what has not been signed yet: the last step before the log is closed. */
  async stop(): Promise<void> {
    if (this.#options.audit.size > (this.#newest?.size ?? 0)) await this.#try();
  }

  /** Signs how far the log is now, unless that is signed already. @throws AUDIT_UNWRITABLE */
  async sign(): Promise<SignedCheckpoint> {
    while (this.#signing !== undefined) await this.#signing.catch(() => undefined);
    if (this.#newest !== undefined && this.#newest.size === this.#options.audit.size) {
      return this.#newest;
    }
    this.#signing = this.#sign();
    try {
      return await this.#signing;
    } finally {
      this.#signing = undefined;
    }
  }

  /** The newest of a process before this one, if it is of all there is and by the same key. */
  async #stored(): Promise<SignedCheckpoint | undefined> {
    const { audit, key } = this.#options;
    const note = await readNewest(audit.folder);
    if (note === undefined) return undefined;
    try {
      const { size, root } = parseCheckpoint(openNote(note, [key.verifier]).text);
      const now = audit.root();
      return size === now.size && root.equals(now.root) ? { note, size } : undefined;
    } catch {
      return undefined;
    }
  }

  async #try(): Promise<boolean> {
    const { log } = this.#options;
    try {
      await this.sign();
      if (this.#hasFailed) log.info({}, "checkpoints of the audit log are stored again");
      this.#hasFailed = false;
      return true;
    } catch (error) {
      if (!this.#hasFailed) log.error({ error }, "a checkpoint of the audit log cannot be stored");
      this.#hasFailed = true;
      return false;
    }
  }

  async #sign(): Promise<SignedCheckpoint> {
    const { audit, key, file } = this.#options;
    const { tree, ends } = audit.snapshot();
    await audit.sync();
    await audit.hashes.sync();
    const { size } = tree;
    const text = formatCheckpoint({ origin: key.verifier.name, size, root: tree.root() });
    const note = signNote(text, key.verifier, key.privateKey);
    await storeCheckpoint(audit.folder, note, file);
    await writeState(audit.folder, tree, ends);
    this.#newest = { note, size };
    this.#options.onSigned?.(this.#newest);
    return this.#newest;
  }

  /** The newest that is stored, of this process or of one before it. */
  async current(): Promise<string | undefined> {
    return this.#newest?.note ?? (await readNewest(this.#options.audit.folder));
  }
}
