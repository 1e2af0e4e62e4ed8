import cluster from 'node:cluster';
import { type UsersFile, type UsersFileProblem, usersFile } from '@pop3/auth-node';
import { required } from './config/required.js';
import type { Config } from './config/schema.js';
import { EXIT, exitCodeOfSystemError, Failure } from './failure.js';
import { type Log, openLog } from './log.js';
import { missingFolderOf } from './maildir-template.js';
import { openMaildirs } from './maildirs.js';
import { type Orders, ordersByMessage, ordersBySignal } from './orders.js';
import { type RunningServer, startServer } from './server.js';
import { logSessions } from './session-log.js';
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

function serveAsWorker(config: Config, log: Log): Promise<number> {
  return serveAlone(config, log, ordersByMessage(), (listening) => {
    process.send?.({ listening } satisfies ListeningMessage);
  });
}

async function serveAlone(
  config: Config,
  log: Log,
  orders: Orders,
  onListening: (listening: readonly string[]) => void,
): Promise<number> {
  const users = openUsers(config, log);
  const store = openMaildirs(required(config.store.maildir, '--maildir', 'store.maildir'), log);
  logSessions(log);
  // One worker speaks for all.
  if ((cluster.worker?.id ?? 1) === 1) for (const warning of warningsFor(config, users)) log.warn(warning);
  const server = await startServer(config, store, users);
  orders.onReload(() => reload(server, log));
  onListening(server.listening);
  await orders.drain;
  log.info('stopping');
  void orders.stop.then(() => server.stop());
  await server.drain();
  return EXIT.ok;
}

/** What lets a server start and be of no use. */
function* warningsFor({ server, store, users: settings }: Config, users: UsersFile): Generator<string> {
  if (users.accepts.length === 0)
    yield `nobody can log in: no user of ${settings.file} has a password that can be used`;
  if (server.plaintext_auth === 'refuse' && server.tls_cert === undefined) {
    yield 'nobody can log in: server.plaintext_auth is "refuse", and there is no certificate for TLS';
  }
  const missing = store.maildir === undefined ? null : missingFolderOf(store.maildir);
  if (missing !== null) yield `store.maildir: ${missing}`;
}

function reload(server: RunningServer, log: Log): void {
  try {
    if (server.reload()) log.info('the certificate was read again');
  } catch (error) {
    log.error(`the certificate was not replaced: ${(error as Error).message}`);
  }
}

function openUsers({ users: settings }: Config, log: Log): UsersFile {
  const file = required(settings.file, '--users', 'users.file');
  try {
    return usersFile(file, {
      defaultScheme: settings.default_scheme ?? null,
      onProblem: (problem) => log.warn(`users file: ${positionOf(problem)}: ${problem.message}`),
    });
  } catch (error) {
    const exitCode = exitCodeOfSystemError(error);
    if (exitCode === null) throw error;
    throw new Failure(exitCode, `users.file: ${file} cannot be read: ${(error as Error).message}`);
  }
}

function positionOf({ file, line }: UsersFileProblem): string {
  return line === null ? file : `${file}:${line}`;
}

/** In one piece, so that whoever reads the first line has all of them. */
function printListening(listening: readonly string[]): void {
  process.stdout.write(listening.map((line) => `listening ${line}\n`).join(''));
}
