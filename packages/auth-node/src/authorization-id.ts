import type { Identity, MaybePromise } from '@pop3/core';

/**
 * Whether a user may open the maildrop of another one, who is named by an authorisation id (RFC 4422 section 3.4.1).
 * Asked only when the two differ.
 */
export type MayAct = (username: string, authorizationId: string) => MaybePromise<boolean>;

/**
 * Whom somebody becomes who has proved to be `own` and asks to be `authorizationId`; null when that is not allowed.
 *
 * An empty authorisation id, and one that is the own name, give the own identity: what the peer wrote decides nothing
 * then, so no spelling of it can open another maildrop. Anybody else's maildrop needs `mayAct`.
 */
export async function actingAs(
  own: Identity,
  authorizationId: string,
  mayAct: MayAct | undefined,
): Promise<Identity | null> {
  if (authorizationId === '' || isSameUser(own.username, authorizationId)) return own;
  if (mayAct === undefined || !(await mayAct(own.username, authorizationId))) return null;
  return { username: own.username, maildrop: authorizationId };
}

/** RFC 5321 section 2.4: the part before the last `@` counts as it is written, a domain after it in any case. */
function isSameUser(one: string, other: string): boolean {
  return one === other || withLowerCaseDomain(one) === withLowerCaseDomain(other);
}

function withLowerCaseDomain(name: string): string {
  const at = name.lastIndexOf('@');
  return at === -1 ? name : name.slice(0, at) + name.slice(at).toLowerCase();
}

/** As long as a name in a command can be (RFC 2449 section 4). */
const MAX_NAME_OCTETS = 255;

/** Whether something from a token or a certificate can be the name of a user. */
export function isUserName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name !== '' &&
    name === name.trim() &&
    !/\p{Cc}/u.test(name) &&
    Buffer.byteLength(name) <= MAX_NAME_OCTETS
  );
}
