import type { Auth } from '@pop3/client-node';
import type { Call } from './call.js';
import { EXIT, Failure } from './failure.js';
import { passwordSource, tokenSource } from './secret.js';
import type { ServerAddress } from './server-address.js';

const BY_TOKEN: readonly (string | null)[] = ['OAUTHBEARER', 'XOAUTH2'];

/** Who logs in: `--user`, the user of a URL, POP3_USER; null when nobody is named. */
export function userOf({ line }: Call, address: ServerAddress): string | null {
  const { POP3_USER } = process.env;
  return line.value('user') ?? address.user ?? (POP3_USER || null);
}

/**
 * How to log in, as the flags, the URL and the environment say. A password may be asked for.
 *
 * @throws Failure when nobody is named, or flags contradict each other
 */
export async function authOf(call: Call, address: ServerAddress): Promise<Auth> {
  const { line, mask } = call;
  const user = userOf(call, address);
  const mechanism = (line.value('mechanism') ?? address.mechanism)?.toUpperCase() ?? null;
  if (mechanism === 'EXTERNAL') return externalAuth(call, user);
  if (user === null) {
    throw new Failure(
      EXIT.usage,
      'nobody is named who logs in: give --user NAME, or pops://NAME@HOST, or set POP3_USER',
    );
  }
  const token = tokenSource(call);
  if (token !== null) {
    if (mechanism !== null && !isTokenMechanism(mechanism)) {
      throw new Failure(EXIT.usage, `--mechanism ${mechanism} does not log in by a token; leave it out`);
    }
    const accessToken = async () => hidden(call, await token());
    return { user, accessToken, ...(mechanism !== null && { mechanism }) };
  }
  if (BY_TOKEN.includes(mechanism)) {
    throw new Failure(
      EXIT.usage,
      `${mechanism} needs a token: give --token-env NAME or --token-command COMMAND`,
    );
  }
  const password = await passwordSource(call, `Password of ${user} at ${address.host}: `)();
  mask.hide(password);
  return { user, password, ...(mechanism !== null && { mechanism }) };
}

function externalAuth({ line }: Call, user: string | null): Auth {
  if (line.value('cert') === null) {
    throw new Failure(EXIT.usage, 'EXTERNAL logs in by a certificate: give --cert FILE and --key FILE');
  }
  return { external: true, ...(user !== null && { user }) };
}

function isTokenMechanism(mechanism: string): mechanism is 'OAUTHBEARER' | 'XOAUTH2' {
  return BY_TOKEN.includes(mechanism);
}

function hidden({ mask }: Call, secret: string): string {
  mask.hide(secret);
  return secret;
}
