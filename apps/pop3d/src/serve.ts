import cluster from 'node:cluster';
import { type UsersFile, type UsersFileProblem, usersFile } from '@pop3/auth-node';
import { required } from './config/required.js';
import type { Config } from './config/schema.js';
import { EXIT, Failure, isPermissionError, systemCodeOf } from './failure.js';
import { type Log, openLog } from './log.js';
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
  const orders = ordersBySignal();
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
  const server = await startServer(config, store, users);
  orders.onReload(() => reload(server, log));
  onListening(server.listening);
  await orders.drain;
  log.info('stopping');
  await Promise.race([server.close(), orders.stop]);
  return EXIT.ok;
}

function reload(server: RunningServer, log: Log): void {
  try {
    server.reload();
    log.info('the certificate was read again');
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
    if (isPermissionError(error))
      throw new Failure(EXIT.noPermission, `users.file: ${(error as Error).message}`);
    if (systemCodeOf(error) === 'ENOENT') {
      throw new Failure(
        EXIT.badConfiguration,
        `users.file: ${file} is not there; make it: pop3d user add NAME --users ${file}`,
      );
    }
    throw error;
  }
}

function positionOf({ file, line }: UsersFileProblem): string {
  return line === null ? file : `${file}:${line}`;
}

/** In one piece, so that whoever reads the first line has all of them. */
function printListening(listening: readonly string[]): void {
  process.stdout.write(listening.map((line) => `listening ${line}\n`).join(''));
}
