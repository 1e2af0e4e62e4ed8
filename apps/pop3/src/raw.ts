import { createInterface, type Interface } from 'node:readline';
import type { ClientTrace } from '@pop3/core';
import type { Call } from './call.js';
import { addressOf, openConnection, openMaildrop } from './connection.js';
import { EXIT } from './failure.js';
import { userOf } from './login.js';
import { RawDialogue } from './raw-dialogue.js';
import { statusText } from './trace.js';
import { visible } from './visible.js';

/**
 * `pop3 raw`: sends lines as commands and shows the answers, to find out what a server does. TLS and the login are done
 * before, as the flags say. Without QUIT nothing is deleted.
 */
export async function raw(call: Call): Promise<number> {
  const { terminal, mask } = call;
  let shows = false;
  const onTrace = (event: ClientTrace) => {
    if (!shows || event.type !== 'response') return;
    terminal.output.write(`${visible(mask.masked(statusText(event.status)))}\n`);
  };
  const named = userOf(call, addressOf(call)) !== null;
  await using client = await (named ? openMaildrop : openConnection)(call, { onTrace });
  // What was said on the way belongs to `--trace`.
  shows = true;
  const dialogue = new RawDialogue(call, client);
  const lines = linesOf(call);
  lines.prompt();
  for await (const line of lines) {
    if ((await dialogue.say(line)) === 'over') break;
    lines.prompt();
  }
  // The lines end with it, and tell nobody why.
  call.signal.throwIfAborted();
  return EXIT.ok;
}

function linesOf({ terminal, signal }: Call): Interface {
  const { input, output } = terminal;
  const interactive = input.isTTY === true && output.isTTY === true;
  const lines = createInterface({
    input,
    signal,
    terminal: interactive,
    prompt: interactive ? '> ' : '',
    ...(interactive && { output }),
  });
  // It takes the key from the terminal, and no signal comes.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  return lines;
}
