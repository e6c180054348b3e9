// Signs batches of X509-SVIDs on all cores. A batch is cut into chunks; threads and the main thread
// take chunks from one queue, the main thread one per turn of the event loop, so that it goes on
// serving its connections. Whoever is free does more: nothing is divided in advance.
// An authority whose key is not in this process, or that signs asynchronously (RSA, P-384, tokens),
// signs from the main thread: its work is in the thread pool or elsewhere already.

import { Worker } from "node:worker_threads";
import { IdentityError } from "../../pki/errors.ts";
import type { X509Issuer } from "../../pki/x509/issue.ts";
import type { Logger } from "../../runtime/log.ts";
import { signOrder, type X509Order } from "./sign.ts";
import {
  type IssuerMessage,
  pack,
  type SignedMessage,
  type SignMessage,
  unpack,
} from "./signing-messages.ts";

/** A signed leaf. */
export interface SignedLeaf {
  readonly der: Uint8Array;
  readonly notAfter: Date;
}

/** The outcome of each order of a batch: what was signed, or why it was refused. */
export type SignedBatch = (SignedLeaf | IdentityError)[];

/** A batch smaller than this is signed at once: crossing to a thread costs as much as some signatures. */
const SMALLEST_SHARED_BATCH = 8;
/** Orders in a chunk: about a millisecond of work. */
const CHUNK = 6;
/** Chunks that a thread has at hand, so that it does not wait for the next one. */
const CHUNKS_AHEAD = 2;
/** After a thread has died, the main thread signs alone for this many batches. */
const RESTART_AFTER_BATCHES = 1000;

interface Chunk {
  readonly batch: Batch;
  readonly issuer: X509Issuer;
  readonly start: number;
  readonly orders: readonly X509Order[];
}

interface Batch {
  readonly results: SignedBatch;
  left: number;
  readonly resolve: (results: SignedBatch) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly chunks: Map<number, Chunk>;
  issuer: X509Issuer | undefined;
}

export interface SigningPoolOptions {
  /** Threads besides the main one; started with the first batch that is worth it. 0 is fine. */
  readonly threads: number;
  readonly logger: Logger;
}

export class SigningPool {
  readonly #options: SigningPoolOptions;
  readonly #threads = new Set<Thread>();
  readonly #queue: Chunk[] = [];
  readonly #issuerNumbers = new WeakMap<X509Issuer, number>();
  #numbers = 0;
  #turn: NodeJS.Immediate | undefined;
  #batchesUntilStart = 0;
  #stopped = false;

  constructor(options: SigningPoolOptions) {
    this.#options = options;
  }

  /** Signs every order with one authority; answers in their order. */
  async sign(issuer: X509Issuer, orders: readonly X509Order[]): Promise<SignedBatch> {
    if (issuer.signer.signSync === undefined) return signAsync(issuer, orders);
    if (orders.length < SMALLEST_SHARED_BATCH) return orders.map((order) => signOne(issuer, order));
    if (issuer.signer.privateKey !== undefined) this.#startThreads();
    return new Promise((resolve, reject) => {
      const results: SignedBatch = new Array(orders.length);
      const batch: Batch = { results, left: orders.length, resolve, reject };
      for (let start = 0; start < orders.length; start += CHUNK) {
        this.#queue.push({ batch, issuer, start, orders: orders.slice(start, start + CHUNK) });
      }
      this.#handOut();
    });
  }

  /** Ends the threads. What they have at hand, and what is asked later, is signed on the main thread. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const threads = [...this.#threads];
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  /** Gives chunks to threads with room, and the main thread its turn if some are left. */
  #handOut(): void {
    for (let gave = true; gave && this.#queue.length > 0; ) {
      gave = false;
      for (const thread of this.#threads) {
        if (thread.chunks.size >= CHUNKS_AHEAD) continue;
        const next = this.#queue[0];
        if (next?.issuer.signer.privateKey === undefined) continue;
        this.#queue.shift();
        this.#give(thread, next);
        gave = true;
      }
    }
    if (this.#queue.length > 0 && this.#turn === undefined) {
      this.#turn = setImmediate(() => {
        this.#turn = undefined;
        const chunk = this.#queue.shift();
        if (chunk !== undefined) this.#signHere(chunk);
        this.#handOut();
      });
    }
  }

  #signHere({ batch, issuer, start, orders }: Chunk): void {
    try {
      for (const [i, order] of orders.entries()) batch.results[start + i] = signOne(issuer, order);
      this.#finish(batch, orders.length);
    } catch (error) {
      batch.reject(error);
    }
  }

  #finish(batch: Batch, count: number): void {
    batch.left -= count;
    if (batch.left === 0) batch.resolve(batch.results);
  }

  #give(thread: Thread, chunk: Chunk): void {
    const { issuer, orders } = chunk;
    const number = this.#numberOf(issuer);
    if (thread.issuer !== issuer) {
      const { certificate, upstreamChain, signer, crlUrl, taskCrlUrl } = issuer;
      const { keyId, privateKey } = signer;
      if (privateKey === undefined)
        throw new TypeError("the authority's key is not in this process");
      const message: IssuerMessage = {
        step: "issuer",
        issuer: number,
        certificate: certificate.der,
        upstreamChain,
        keyId,
        privateKey,
        crlUrl,
        taskCrlUrl,
      };
      thread.worker.postMessage(message);
      thread.issuer = issuer;
    }
    this.#numbers += 1;
    const csrs = pack(orders.map(({ csr }) => csr));
    const message: SignMessage = {
      step: "sign",
      chunk: this.#numbers,
      issuer: number,
      csrs,
      orders: orders.map(({ csr: _, ...order }) => order),
    };
    if (thread.chunks.size === 0) thread.worker.ref();
    thread.chunks.set(message.chunk, chunk);
    thread.worker.postMessage(message, [csrs.bytes.buffer]);
  }

  #take(thread: Thread, message: SignedMessage): void {
    const chunk = thread.chunks.get(message.chunk);
    if (chunk === undefined) throw new TypeError("an answer to a chunk that was not given");
    thread.chunks.delete(message.chunk);
    if (thread.chunks.size === 0) thread.worker.unref();
    const { batch, start, orders } = chunk;
    for (const [i, der] of unpack(message.leaves).entries()) {
      batch.results[start + i] = { der, notAfter: new Date(message.notAfterMs[i] ?? 0) };
    }
    for (const { index, reason, code, message: text, hint } of message.refusals) {
      const detail = hint === undefined ? {} : { hint };
      batch.results[start + index] = new IdentityError(reason, code, text, detail);
    }
    this.#handOut();
    this.#finish(batch, orders.length);
  }

  #startThreads(): void {
    if (this.#stopped || this.#threads.size >= this.#options.threads) return;
    if (this.#batchesUntilStart > 0) {
      this.#batchesUntilStart -= 1;
      return;
    }
    // The file's ending differs between a checkout and what is published.
    const file = import.meta.url.endsWith(".ts") ? "./signing-thread.ts" : "./signing-thread.js";
    while (this.#threads.size < this.#options.threads) {
      // No environment and no flags: a debugger or a loader of the main thread is none of its business.
      const options = { env: {}, execArgv: [], name: "signing" };
      const worker = new Worker(new URL(file, import.meta.url), options);
      const thread: Thread = { worker, chunks: new Map(), issuer: undefined };
      worker.unref();
      worker.on("message", (message: SignedMessage) => this.#take(thread, message));
      worker.on("error", (error) => {
        this.#options.logger.error({ error }, "a signing thread failed; its work is done again");
      });
      worker.on("exit", () => this.#lose(thread));
      this.#threads.add(thread);
    }
  }

  /** A thread has ended: the main thread takes what it had at hand. Nothing of it had been answered. */
  #lose(thread: Thread): void {
    this.#threads.delete(thread);
    this.#batchesUntilStart = RESTART_AFTER_BATCHES;
    for (const chunk of thread.chunks.values()) this.#signHere(chunk);
    thread.chunks.clear();
    this.#handOut();
  }

  #numberOf(issuer: X509Issuer): number {
    const known = this.#issuerNumbers.get(issuer);
    if (known !== undefined) return known;
    this.#numbers += 1;
    this.#issuerNumbers.set(issuer, this.#numbers);
    return this.#numbers;
  }
}

function signOne(issuer: X509Issuer, order: X509Order): SignedLeaf | IdentityError {
  try {
    const leaf = signOrder(issuer, order);
    if (leaf instanceof Promise) throw new TypeError("this signer was to sign at once");
    return leaf;
  } catch (error) {
    if (error instanceof IdentityError) return error;
    throw error;
  }
}

/** Chunk by chunk: each verifies its requests here and has its signatures made elsewhere, side by side. */
async function signAsync(issuer: X509Issuer, orders: readonly X509Order[]): Promise<SignedBatch> {
  const results: SignedBatch = [];
  for (let start = 0; start < orders.length; start += CHUNK) {
    const chunk = orders.slice(start, start + CHUNK);
    const signed = chunk.map(async (order) => {
      try {
        return await signOrder(issuer, order);
      } catch (error) {
        if (error instanceof IdentityError) return error;
        throw error;
      }
    });
    results.push(...(await Promise.all(signed)));
  }
  return results;
}
