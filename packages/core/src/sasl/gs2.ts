import { authorizationIdOf, preparedName } from './field.js';

/** What stands before a client's first message (RFC 5801 section 4, RFC 5802 section 7). */
export interface Gs2Header {
  /** As it was sent, with its last comma. */
  readonly text: string;
  /** `n`: the client cannot bind. `y`: it can, and believes that the server cannot. `p`: it does. */
  readonly flag: 'n' | 'y' | 'p';
  /** The name of the channel binding; empty unless the flag is `p`. */
  readonly bindingType: string;
  /** Prepared; empty when there is none. */
  readonly authorizationId: string;
}

const HEADER = /^(?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,/;

/** The header at the start of a message; null when there is none, or it cannot be read. */
export function parseGs2Header(message: string): Gs2Header | null {
  const match = HEADER.exec(message);
  if (match === null) return null;
  const [text, flag, bindingType = '', sentId] = match;
  const authorizationId = sentId === undefined ? '' : authorizationIdOf(decodeSaslName(sentId) ?? '\0');
  if (authorizationId === null) return null;
  return { text, flag: flag === undefined ? 'p' : (flag as 'n' | 'y'), bindingType, authorizationId };
}

/** @param flag - `n`, `y`, or `p=` with the name of the binding */
export function gs2Header(flag: string, authorizationId: string): string {
  return `${flag},${authorizationId === '' ? '' : `a=${encodeSaslName(authorizationId)}`},`;
}

/** A comma and an equals sign would end the name (RFC 5802 section 5.1). */
export function encodeSaslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** Null for an equals sign that begins neither `=2C` nor `=3D`, and for control characters that no name has. */
export function decodeSaslName(text: string): string | null {
  if (/=(?!2C|3D)|[\0\r\n]/.test(text)) return null;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

/** A user name as SCRAM sends it, prepared; null when it is none. */
export function userNameOf(text: string): string | null {
  const name = decodeSaslName(text);
  return name === null ? null : preparedName(name);
}
