import { saslprep } from '@pop3/core/sasl';

/**
 * A name as it is compared (RFC 4013). One that SASLprep prohibits stays as it is, so that nobody is locked out by an odd
 * character.
 */
export function preparedName(name: string): string {
  return saslprep(name) || name;
}
