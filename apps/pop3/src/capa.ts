import type { Pop3Client } from '@pop3/client-node';
import type { Call } from './call.js';
import { addressOf, leave, openConnection, openMaildrop } from './connection.js';
import { EXIT } from './failure.js';
import { userOf } from './login.js';
import { write } from './output.js';
import { tell } from './say.js';
import { visible } from './visible.js';

/** What a server says of itself, at one moment of a session. */
interface Offer {
  readonly greeting: string;
  readonly encrypted: boolean;
  /** How the login was done; null before it. */
  readonly mechanism: string | null;
  /** By tag; null when it refuses to say. */
  readonly capabilities: Readonly<Record<string, readonly string[]>> | null;
}

/** `pop3 capa`: what a server can do before the login and, where a user is named, after it. */
export async function capa(call: Call): Promise<number> {
  const beforeLogin = await offerOf(await openConnection(call));
  const user = userOf(call, addressOf(call));
  const afterLogin = user === null ? null : await offerOf(await openMaildrop(call));
  await tell(call, { beforeLogin, afterLogin });
  if (call.line.switch('json') === true) return EXIT.ok;
  const { output } = call.terminal;
  const { greeting, encrypted } = beforeLogin;
  const facts = [`greeting: ${greeting}`, `encrypted: ${encrypted ? 'yes' : 'no'}`];
  const lines = [...facts, 'before the login:', ...linesOf(beforeLogin)];
  if (afterLogin !== null) lines.push(`after the login by ${afterLogin.mechanism}:`, ...linesOf(afterLogin));
  for (const line of lines) await write(output, `${visible(line)}\n`, call.signal);
  return EXIT.ok;
}

async function offerOf(client: Pop3Client): Promise<Offer> {
  try {
    const { greeting, encrypted, mechanism } = client;
    const capabilities = await client.capabilities();
    await leave(client);
    return { greeting, encrypted, mechanism, capabilities: capabilities && Object.fromEntries(capabilities) };
  } finally {
    await client.close();
  }
}

function linesOf({ capabilities }: Offer): string[] {
  if (capabilities === null) return ['  (the server refuses to say)'];
  return Object.entries(capabilities).map(([tag, parameters]) => `  ${[tag, ...parameters].join(' ')}`);
}
