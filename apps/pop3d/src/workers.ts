import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { type Config, inMs } from './config/schema.js';
import { EXIT } from './failure.js';
import { answersToWorkers } from './first-process.js';
import type { Log } from './log.js';
import { type OrderMessage, ordersBySignal } from './orders.js';

/** What a worker tells once it accepts connections. */
export interface ListeningMessage {
  readonly listening: readonly string[];
}

/** A worker that dies at once would otherwise be started again without a pause. */
const RESTART_AFTER_MS = 1_000;
/** What a worker may take beyond the time for its sessions. */
const KILL_AFTER_MS = 5_000;

/**
 * Runs this program again in several processes that share the listeners, starts those that die again, and passes
 * orders on.
 *
 * @param onListening - called once, when every worker accepts connections
 * @returns the exit code
 */
export async function superviseWorkers(
  { server: { workers: count, drain_seconds: drainSeconds } }: Config,
  log: Log,
  onListening: (listening: readonly string[]) => void,
): Promise<number> {
  const orders = ordersBySignal();
  // Counts that are infinite, and octets, are more than JSON has.
  cluster.setupPrimary({ serialization: 'advanced' });
  cluster.on('fork', answersToWorkers());
  const workers = new Set<Worker>();
  const tell = (order: OrderMessage) => {
    for (const worker of workers) if (worker.isConnected()) worker.send(order);
  };
  orders.onReload(() => tell('reload'));

  // The first one alone: what is wrong with the configuration is then said once.
  const first = await start(workers);
  const others = first.exitCode === null ? await startMany(count - 1, workers) : [];
  const exitCode = [first, ...others].find((worker) => worker.exitCode !== null)?.exitCode ?? null;
  if (exitCode === null) {
    const supervision = new AbortController();
    for (const { worker } of [first, ...others]) void keepAlive(worker, workers, log, supervision.signal);
    onListening(first.listening);
    await orders.drain;
    supervision.abort();
  }
  tell('drain');
  void orders.stop.then(() => tell('stop'));
  await allGone(workers, inMs(drainSeconds) + KILL_AFTER_MS);
  return exitCode ?? EXIT.ok;
}

interface StartedWorker {
  readonly worker: Worker;
  readonly listening: readonly string[];
  /** Null for one that listens. */
  readonly exitCode: number | null;
}

function startMany(count: number, workers: Set<Worker>): Promise<StartedWorker[]> {
  return Promise.all(Array.from({ length: count }, () => start(workers)));
}

function start(workers: Set<Worker>): Promise<StartedWorker> {
  const worker = cluster.fork();
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
  return new Promise((resolve) => {
    worker.on('message', (message: object) => {
      if ('listening' in message) {
        resolve({ worker, listening: (message as ListeningMessage).listening, exitCode: null });
      }
    });
    worker.once('exit', (code) => resolve({ worker, listening: [], exitCode: code || EXIT.system }));
  });
}

async function keepAlive(
  first: Worker,
  workers: Set<Worker>,
  log: Log,
  stopping: AbortSignal,
): Promise<void> {
  for (let worker = first; ; ) {
    await exitOf(worker);
    while (worker.isDead()) {
      if (stopping.aborted) return;
      const { pid, exitCode: code, signalCode: signal } = worker.process;
      log.error({ pid, code, signal }, 'a worker has died and is started again');
      await delay(RESTART_AFTER_MS);
      if (stopping.aborted) return;
      worker = (await start(workers)).worker;
    }
    // It was started while the others were told to stop, and may have missed that.
    if (stopping.aborted) worker.send('drain' satisfies OrderMessage);
  }
}

function exitOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.once('exit', () => resolve()));
}

async function allGone(workers: Set<Worker>, deadlineMs: number): Promise<void> {
  const deadline = setTimeout(() => {
    for (const worker of workers) worker.process.kill('SIGKILL');
  }, deadlineMs);
  await Promise.all([...workers].map(exitOf));
  clearTimeout(deadline);
}
