import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import type { ThrottleStore } from '@pop3/auth-node';
import type { TlsSource } from '@pop3/server-node';
import type { Config } from './config/schema.js';
import { EXIT } from './failure.js';
import { firstProcess, type SharedSecrets } from './first-process.js';
import { type Log, openLog } from './log.js';
import { type Orders, ordersByMessage, ordersBySignal } from './orders.js';
import { openParts } from './parts.js';
import { type RunningServer, startServer } from './server.js';
import { logSessions } from './session-log.js';
import { throttleLog } from './throttle-log.js';
import { tlsOf } from './tls-settings.js';
import { positionOf, warningsFor } from './warnings.js';
import { type ListeningMessage, superviseWorkers } from './workers.js';

/**
 * `pop3d serve`: runs until it is told to stop.
 *
 * @returns the exit code
 * @throws Failure when it cannot start
 */
export async function serve(config: Config): Promise<number> {
  const { log, flush } = openLog(config.log);
  try {
    if (cluster.isWorker) return await serveAsWorker(config, log);
    if (config.server.workers > 1) return await superviseWorkers(config, log, printListening);
    return await serveAlone(config, log, ordersBySignal(), printListening);
  } finally {
    flush();
  }
}

/** `pop3d serve --demo`: the same, with everything that it needs made for it, and taken away again. */
export async function serveDemo(config: Config): Promise<number> {
  const { log, flush } = openLog(config.log);
  // Nobody renews its certificate, and nobody wants it without the terminal it was started from.
  const orders = ordersBySignal('drain');
  // Loaded here, since what makes certificates takes longer to load than the server.
  const { startDemo } = await import('./demo/demo.js');
  const demo = await startDemo(config);
  try {
    return await serveAlone(demo.config, log, orders, (listening) => {
      printListening(listening);
      process.stdout.write(demo.instructions(listening));
    });
  } finally {
    demo.remove();
    flush();
  }
}

async function serveAsWorker(config: Config, log: Log): Promise<number> {
  const orders = ordersByMessage();
  const { secrets, throttleStore } = firstProcess();
  const tell = (listening: readonly string[]) => {
    process.send?.({ listening } satisfies ListeningMessage);
  };
  return serveAlone(config, log, orders, tell, { ...(await secrets()), throttleStore });
}

/** What the processes of this machine have in common. */
interface Shared extends SharedSecrets {
  readonly throttleStore: ThrottleStore;
}

async function serveAlone(
  config: Config,
  log: Log,
  orders: Orders,
  onListening: (listening: readonly string[]) => void,
  shared: Shared | null = null,
): Promise<number> {
  const readTls = () =>
    tlsOf(config, {
      ticketKeys: shared?.ticketKeys ?? null,
      onProblem: (error) => log.error(`the certificate was not replaced: ${error.message}`),
      onReload: () => log.info('the certificate was read again'),
    });
  logSessions(log);
  const parts = openParts(config, {
    log,
    tls: readTls(),
    secret: userSecretOf(config, shared),
    throttleStore: shared?.throttleStore ?? null,
    onUsersProblem: (problem) => log.warn(`users file: ${positionOf(problem)}: ${problem.message}`),
    onLookupProblem: ({ name, message }) => log.warn({ user: name }, `lookup: ${message}`),
    onThrottled: throttleLog(log),
  });
  // One worker speaks for all.
  if ((cluster.worker?.id ?? 1) === 1) for (const warning of warningsFor(config, parts)) log.warn(warning);
  const server = await startServer(config, parts);
  orders.onReload(() => reload(server, readTls, log));
  onListening(server.listening);
  await orders.drain;
  log.info('stopping');
  void orders.stop.then(() => server.stop());
  await server.drain();
  return EXIT.ok;
}

/** A file for all machines wins over what the first process has made for its workers. */
function userSecretOf({ users }: Config, shared: Shared | null): Buffer | null {
  return users.secret_file === undefined ? (shared?.users ?? null) : readFileSync(users.secret_file);
}

function reload(server: RunningServer, readTls: () => TlsSource | null, log: Log): void {
  try {
    const tls = readTls();
    if (tls === null) return;
    server.replaceTls(tls);
    log.info('the certificate was read again');
  } catch (error) {
    log.error(`the certificate was not replaced: ${(error as Error).message}`);
  }
}

/** In one piece, so that whoever reads the first line has all of them. */
function printListening(listening: readonly string[]): void {
  process.stdout.write(listening.map((line) => `listening ${line}\n`).join(''));
}
