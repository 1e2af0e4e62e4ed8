import cluster from 'node:cluster';
import pico from 'picocolors';
import pino, { type Logger } from 'pino';
import type { Config } from './config/schema.js';

export type Log = Logger;

/** What waits for a slow reader of the log; beyond, lines are dropped rather than the server stopped. */
const MAX_WAITING_OCTETS = 4 * 1024 * 1024;

/** A log on the standard error output, and how to write out what is left in it. */
export interface LogOutput {
  readonly log: Log;
  flush(): void;
}

/** JSON lines, or short lines of text for people: the default on a terminal. */
export function openLog(
  { level, format }: Config['log'],
  isTerminal = process.stderr.isTTY === true,
): LogOutput {
  const options = {
    level,
    // Tells the workers apart; a process alone has its name from whoever collects the log.
    base: cluster.isWorker ? { pid: process.pid } : null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === 'text' || (format === 'auto' && isTerminal)) {
    const asText = textLines(isTerminal);
    const log = pino(options, { write: (line: string) => void process.stderr.write(asText(line)) });
    return { log, flush() {} };
  }
  const destination = pino.destination({ dest: 2, sync: false, maxLength: MAX_WAITING_OCTETS });
  // Whoever read the log has gone. Mail is served without it.
  destination.on('error', () => {});
  return { log: pino(options, destination), flush: () => destination.flushSync() };
}

/** Turns a JSON line of the log into one for people. */
export function textLines(inColor: boolean): (line: string) => string {
  const color = pico.createColors(inColor);
  const paint: Readonly<Record<string, (text: string) => string>> = {
    debug: color.dim,
    info: color.green,
    warn: color.yellow,
    error: color.red,
  };
  return (line) => {
    const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const label = String(level);
    const parts = [
      color.dim(String(time).slice(11, 19)),
      (paint[label] ?? String)(label.padEnd(5)),
      printable(String(msg ?? '')),
    ];
    for (const [name, value] of Object.entries(fields)) {
      if (value !== null) parts.push(`${color.dim(`${name}=`)}${printable(plainOrQuoted(value))}`);
    }
    const stack = (err as { readonly stack?: unknown } | undefined)?.stack;
    return `${parts.join(' ')}\n${stack === undefined ? '' : `${color.dim(String(stack))}\n`}`;
  };
}

/** A text that somebody else has chosen as one word: in quotes when it could be taken for more than one. */
export function plainOrQuoted(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]*$/.test(value) ? value : JSON.stringify(value);
}

/** A peer chooses some of what is logged, and must not be able to write to the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = (character.codePointAt(0) as number).toString(16);
    return `\\u${code.padStart(4, '0')}`;
  });
}
