import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ShaCryptTask, shaCryptDigest } from './sha-crypt-digest.js';

/**
 * What a thread runs. It is text, so that it is there wherever this package has been bundled to; the function in it is the
 * one that the tests call.
 */
const SOURCE = `
  const { hash } = require('node:crypto');
  const { parentPort } = require('node:worker_threads');
  const digest = ${shaCryptDigest};
  parentPort.on('message', (task) => parentPort.postMessage(digest(hash, task)));
`;

interface Pending {
  resolve(digest: Uint8Array): void;
  reject(error: Error): void;
}

/** Threads for hashes that Node has no code for. They start when they are needed and keep no process alive. */
export class HashThreads {
  readonly #threads = new Set<HashThread>();
  readonly #maxThreads: number;

  /** @param maxThreads - by default one for each core, at most 3, as with the hashes that Node has */
  constructor(maxThreads: number = Math.min(availableParallelism(), 3)) {
    this.#maxThreads = maxThreads;
  }

  shaCrypt(task: ShaCryptTask): Promise<Uint8Array> {
    return this.#leastBusy().run(task);
  }

  #leastBusy(): HashThread {
    let best: HashThread | undefined;
    for (const thread of this.#threads)
      if (best === undefined || thread.waiting < best.waiting) best = thread;
    const isFree = best?.waiting === 0 || this.#threads.size >= this.#maxThreads;
    if (best !== undefined && isFree) return best;
    const started: HashThread = new HashThread(() => this.#threads.delete(started));
    this.#threads.add(started);
    return started;
  }
}

/** One thread; it does one task after the other. */
class HashThread {
  readonly #worker = new Worker(SOURCE, { eval: true, name: 'pop3-hash' });
  /** In the order in which the answers come. */
  readonly #pending: Pending[] = [];

  constructor(onEnd: () => void) {
    this.#worker.unref();
    this.#worker.on('message', (digest: Uint8Array) => {
      this.#pending.shift()?.resolve(digest);
      if (this.#pending.length === 0) this.#worker.unref();
    });
    this.#worker.on('error', (error) => this.#end(onEnd, error));
    this.#worker.on('exit', () => this.#end(onEnd, new Error('The thread for hashes has ended.')));
  }

  get waiting(): number {
    return this.#pending.length;
  }

  run(task: ShaCryptTask): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(task);
    });
  }

  #end(onEnd: () => void, error: Error): void {
    onEnd();
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }
}
