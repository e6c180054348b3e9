// The open sessions, by the SPIFFE IDs below which their agents serve entries.
import type { Session } from "./session.ts";

export class Sessions {
  readonly #all = new Set<Session>();
  readonly #byRoot = new Map<string, Set<Session>>();

  get size(): number {
    return this.#all.size;
  }

  /** All of them; closing one meanwhile is fine. */
  all(): Iterable<Session> {
    return this.#all;
  }

  /** Those whose agent has this ID, or an alias of this ID. */
  withRoot(root: string): Iterable<Session> {
    return this.#byRoot.get(root) ?? [];
  }

  *ofAgent(agentId: string): Generator<Session, void, undefined> {
    // Its own ID is always among the roots of an agent.
    for (const session of this.withRoot(agentId)) {
      if (session.agent.id === agentId) yield session;
    }
  }

  add(session: Session): void {
    this.#all.add(session);
    this.#index(session);
  }

  delete(session: Session): void {
    this.#all.delete(session);
    this.#unindex(session);
  }

  /** Gives a session other roots; answers whether they are others. */
  reroot(session: Session, roots: ReadonlySet<string>): boolean {
    if (equalSets(roots, session.roots)) return false;
    this.#unindex(session);
    session.roots = roots;
    this.#index(session);
    return true;
  }

  #index(session: Session): void {
    for (const root of session.roots) {
      const sessions = this.#byRoot.get(root);
      if (sessions === undefined) this.#byRoot.set(root, new Set([session]));
      else sessions.add(session);
    }
  }

  #unindex(session: Session): void {
    for (const root of session.roots) {
      const sessions = this.#byRoot.get(root);
      if (sessions?.delete(session) && sessions.size === 0) this.#byRoot.delete(root);
    }
  }
}

function equalSets(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}
