import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunOptions, runOk } from '../run.js';
import type { RunningServer, ServerOptions } from '../server.js';
import { type ServerProcess, startProcess } from './process.js';

/** The built command line, as its users run it. */
const CLI = fileURLToPath(new URL('../../../pop3d/dist/cli.js', import.meta.url));

/** Starts `pop3d serve` on ports of the system's choice. */
export async function startPop3d(options: ServerOptions): Promise<RunningServer> {
  const args = [
    ...[CLI, 'serve', '--listen', '127.0.0.1:0', '--listen-tls', '127.0.0.1:0'],
    ...['--tls-cert', options.certificate, '--tls-key', options.key],
    ...['--users', options.users, '--maildir', `${options.maildirs}/{user}`, '--allow-plaintext-auth'],
  ];
  if (options.configuration !== undefined) {
    const file = join(options.directory, 'pop3d.toml');
    await writeFile(file, options.configuration);
    args.push('--config', file);
  }
  const { process: server, found } = await startProcess(process.execPath, args, portsOf);
  return { ...server, ...found };
}

/** Starts `pop3d serve` with a configuration, and waits until so many listeners are there. */
export async function startPop3dWith(
  configuration: string,
  listeners: number,
): Promise<ServerProcess & { readonly ports: readonly number[] }> {
  const args = [CLI, 'serve', '--config', configuration];
  const { process: server, found } = await startProcess(process.execPath, args, (printed) => {
    const ports = [...printed.matchAll(/^listening pop3s? \S+:(\d+)$/gm)].map(([, port]) => Number(port));
    return ports.length === listeners ? ports : undefined;
  });
  return { ...server, ports: found };
}

/** The ports in the lines `listening pop3 HOST:PORT` and `listening pop3s HOST:PORT`, once both are there. */
function portsOf(printed: string): { port: number; tlsPort: number } | undefined {
  const port = /^listening pop3 \S+:(\d+)$/m.exec(printed)?.[1];
  const tlsPort = /^listening pop3s \S+:(\d+)$/m.exec(printed)?.[1];
  return port && tlsPort ? { port: Number(port), tlsPort: Number(tlsPort) } : undefined;
}

/** Runs a command of `pop3d` that does not serve. @throws Error with what it printed, when it fails. */
export async function pop3d(args: readonly string[], options: RunOptions): Promise<string> {
  const { stdout } = await runOk(process.execPath, [CLI, ...args], options);
  return stdout.toString();
}
