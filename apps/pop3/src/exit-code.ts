import { isPop3Error, type Pop3Error } from '@pop3/core';
import { EXIT, Failure } from './failure.js';

/** Verbs by which one logs in. What is refused to them is the login. */
const LOGINS: readonly (string | null)[] = ['USER', 'PASS', 'APOP', 'AUTH'];
/** What resolvers say of a name that nobody has. */
const UNKNOWN_HOST: readonly (string | null)[] = ['ENOTFOUND', 'EAI_NONAME', 'EAI_NODATA'];

/** The exit code that goes with an error; null for those that are defects of ours. */
export function exitCodeOf(error: unknown): number | null {
  if (error instanceof Failure) return error.exitCode;
  if (isPop3Error(error)) return exitCodeOfPop3Error(error);
  return systemCodeOf(error) === null ? null : EXIT.cannotWrite;
}

function exitCodeOfPop3Error({ code, verb, cause, retryable }: Pop3Error): number {
  if (UNKNOWN_HOST.includes(systemCodeOf(cause))) return EXIT.noHost;
  if (retryable) return EXIT.temporary;
  switch (code) {
    case 'POP3_USAGE':
      return EXIT.usage;
    case 'POP3_PROTOCOL':
      return EXIT.protocol;
    case 'POP3_REFUSED':
      return LOGINS.includes(verb) ? EXIT.loginRefused : EXIT.unavailable;
    default:
      return EXIT.unavailable;
  }
}

/** The code of an error of the system, such as ENOENT; null for other errors. */
export function systemCodeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^E[A-Z0-9_]+$/.test(code) && !code.startsWith('ERR_') ? code : null;
}
