import type { Capabilities } from '@pop3/core';
import type { Conversation } from '@pop3/core/driver';
import type { Auth } from './options.js';
import { refusalOf } from './refusal.js';
export interface LoginContext {
  conversation: Conversation;
  capabilities: Capabilities | null;
  apopTimestamp: string | null;
  encrypted: boolean;
  allowPlaintext: boolean;
  pipelining: boolean;
  host: string | null;
  port: number | null;
  channelBinding(type: string): Uint8Array | null;
}
export async function logIn(auth: Auth, { conversation }: LoginContext): Promise<string> {
  if (!('password' in auth)) throw new Error();
  for (const c of [
    { verb: 'USER', name: auth.user },
    { verb: 'PASS', password: auth.password },
  ] as const) {
    const { status } = await conversation.send(c);
    if (status.status === '-ERR') throw refusalOf(c.verb, status, { capabilities: null });
  }
  return 'USER';
}
