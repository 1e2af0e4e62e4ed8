import { describe, expect, it } from 'vitest';
import { type Capabilities, parseCapabilities } from '../src/capability.js';
import type { Status } from '../src/client/options.js';
import { type RefusalContext, refusalOf } from '../src/driver/refusal.js';
import type { Pop3Error } from '../src/errors.js';
import { parseStatusLine } from '../src/response.js';

function status(line: string): Status {
  return parseStatusLine(Buffer.from(line)) as Status;
}

function refusal(verb: string | null, line: string, context: Partial<RefusalContext> = {}): Pop3Error {
  return refusalOf(verb, status(line), { capabilities: null, ...context });
}

const capa = (...lines: string[]): Capabilities => parseCapabilities(lines);
const NOTHING = capa('TOP', 'UIDL');
const CODES = capa('RESP-CODES');
const AUTH_CODES = capa('RESP-CODES', 'AUTH-RESP-CODE');

describe('a refusal', () => {
  it('has the words of the server verbatim, and says what was refused', () => {
    expect(refusal('RETR', '-ERR [X/Y]  no  such [message] ')).toMatchObject({
      code: 'POP3_REFUSED',
      verb: 'RETR',
      responseCode: 'X/Y',
      serverText: ' no  such [message] ',
      retryable: false,
      message: 'The server refused to send the message (RETR) [X/Y]: " no  such [message] ".',
    });
  });

  it('has words of its own where the server has none', () => {
    expect(refusal('XTND', '-ERR')).toMatchObject({
      verb: 'XTND',
      serverText: null,
      message: 'The server refused XTND and does not say why.',
    });
  });

  it('is printed in one line, of no more than people read', () => {
    const { message, serverText } = refusal('STAT', `-ERR a\x1b[2J\u2028b${'x'.repeat(10_000)}`);
    expect(message).toMatch(/"a\?\[2J\?bx+\.\.\."\.$/);
    expect(message.length).toBeLessThan(600);
    expect(serverText).toHaveLength(10_007);
  });

  it('of the greeting is one of the connection', () => {
    expect(refusal(null, '-ERR too many connections')).toMatchObject({ verb: null, retryable: true });
    expect(refusal(null, '-ERR go away').message).toBe('The server refused to talk: "go away".');
    expect(refusal(null, '-ERR go away').retryable).toBe(false);
  });
});

describe('trying again', () => {
  it.each<[string, boolean]>([
    ['-ERR [IN-USE] x', true],
    ['-ERR [in-use] x', true],
    ['-ERR [LOGIN-DELAY] x', true],
    ['-ERR [SYS/TEMP] x', true],
    ['-ERR [SYS/TEMP/DISK] x', true],
    ['-ERR [sys/temp] x', true],
    ['-ERR [SYS/PERM] try again later', false],
    ['-ERR [SYS/PERM/DISK] x', false],
    ['-ERR [AUTH] locked, try again later', false],
    ['-ERR [AUTH/X] x', false],
  ])('after %s: %s, at a login and elsewhere', (line, retryable) => {
    for (const capabilities of [null, NOTHING, CODES, AUTH_CODES]) {
      expect(refusal('PASS', line, { capabilities, login: true }).retryable).toBe(retryable);
      expect(refusal('RETR', line, { capabilities }).retryable).toBe(retryable);
    }
  });

  it.each(['-ERR', '-ERR maildrop is locked, try again', '-ERR [UTF8] x', '-ERR [SYSTEM] x'])(
    'is of no use outside of a login after %s',
    (line) => {
      for (const capabilities of [null, NOTHING, CODES, AUTH_CODES])
        expect(refusal('STAT', line, { capabilities }).retryable).toBe(false);
    },
  );

  it('is of use where the server would say that the credentials are wrong', () => {
    const context = { capabilities: AUTH_CODES, login: true };
    for (const verb of ['PASS', 'APOP', 'AUTH']) {
      const error = refusal(verb, '-ERR something', context);
      expect(error.retryable).toBe(true);
      expect(error.message).not.toMatch(/check/i);
    }
    // There the code is not to be expected (RFC 3206 section 5).
    expect(refusal('USER', '-ERR something', context).retryable).toBe(false);
  });

  it('is of no use without a code where the server has codes', () => {
    expect(refusal('PASS', '-ERR maildrop is locked', { capabilities: CODES, login: true }).retryable).toBe(
      false,
    );
  });

  it.each([
    'maildrop already locked',
    'Unable to lock mailbox',
    'MAILBOX LOCK FAILED',
    'mailbox in use by another session',
    'mail drop in-use',
    'Mailbox is busy',
    'Please wait a few minutes',
    'login allowed only every 15 minutes',
    'too many connections from your address',
    'Too many invalid attempts',
    'Service temporarily unavailable',
    'Service unavailable',
    'Try again later',
    'Temporary authentication failure',
  ])('is of use where the server has no codes and says: %s', (text) => {
    for (const capabilities of [null, NOTHING]) {
      const error = refusal('PASS', `-ERR ${text}`, { capabilities, login: true });
      expect(error.retryable).toBe(true);
    }
  });

  it.each([
    '',
    'authentication failed',
    'Invalid login or password, please try again',
    'incorrect password; wait 3 seconds',
    'Your account has been locked',
    'blocked',
    'clock skew',
    'awaiting activation',
    'Account temporarily disabled',
    '[X] maildrop is locked',
  ])('is of no use where the server has no codes and says: %s', (text) => {
    expect(refusal('PASS', `-ERR ${text}`, { login: true }).retryable).toBe(false);
  });
});

describe('what to do', () => {
  const login = (line: string, context: Partial<RefusalContext> = {}) =>
    refusal('PASS', line, { login: true, mechanism: 'USER', ...context }).message;

  it('is to check a password, or to get one for apps', () => {
    expect(login('-ERR [AUTH] no')).toBe(
      'The server refused the login by USER and PASS [AUTH]: "no". Check the user name and the password. Some providers want an app password or a token here, and POP3 switched on in the settings of the account.',
    );
  });

  it('is to wait', () => {
    expect(login('-ERR [IN-USE] no')).toMatch(/maildrop open.*later/);
    expect(login('-ERR [SYS/TEMP] no')).toMatch(/later/);
    expect(login('-ERR [LOGIN-DELAY] no')).toMatch(/some time between logins/);
    expect(login('-ERR [LOGIN-DELAY] no', { capabilities: capa('LOGIN-DELAY 900') })).toMatch(/900 seconds/);
    expect(login('-ERR [SYS/PERM] no')).toMatch(/operator/);
  });

  it('is to look after the token, and says what the server says of it', () => {
    const problem = '{"status":"invalid_token"}';
    const error = refusal('AUTH', '-ERR no', { login: true, mechanism: 'XOAUTH2', problem });
    expect(error.message).toMatch(/It says of it: \{"status":"invalid_token"\}\..*token may have expired/);
    expect(refusal('AUTH', '-ERR no', { login: true, mechanism: 'EXTERNAL' }).message).toMatch(/certificate/);
  });

  it('is to look who is in between when a channel binding fails', () => {
    const scram = { login: true, mechanism: 'SCRAM-SHA-256-PLUS', advice: 'Name another.' };
    for (const error of [
      refusal('AUTH', '-ERR [AUTH] channel binding does not match', scram),
      refusal('AUTH', '-ERR no', { ...scram, problem: 'channel-bindings-dont-match' }),
      refusal('AUTH', '-ERR no', { ...scram, problem: 'server-does-support-channel-binding' }),
    ]) {
      expect(error.message).toMatch(/somebody in between/);
      expect(error.message).not.toMatch(/Name another/);
      expect(error.retryable).toBe(false);
    }
    const exhausted = refusal('AUTH', '-ERR no', { ...scram, problem: 'no-resources' });
    expect(exhausted.retryable).toBe(true);
  });

  it('says so of a mechanism that is not announced', () => {
    const capabilities = capa('SASL PLAIN LOGIN', 'AUTH-RESP-CODE');
    const error = refusal('AUTH', '-ERR no', { login: true, mechanism: 'XOAUTH2', capabilities });
    expect(error.message).toMatch(/announces PLAIN, LOGIN, not XOAUTH2\./);
    expect(error.retryable).toBe(false);
  });

  it('is what the caller adds, too', () => {
    expect(login('-ERR [IN-USE] no', { advice: 'Or not.' })).toMatch(/ Or not\.$/);
  });
});

it('hides secrets wherever the server repeats them', () => {
  const secrets = ['open sesame'];
  const error = refusal('PASS', '-ERR [OPEN/open] unknown command PASS open sesame', {
    secrets,
    login: true,
  });
  expect(error.serverText).toBe('unknown command PASS ***');
  expect(error.message).not.toMatch(/sesame/);
  const named = refusal('PASS', '-ERR [tiger99] no', { secrets: ['Tiger99'], problem: 'Tiger99' });
  expect(named.responseCode).toBe('***');
  expect(named.message).not.toMatch(/tiger99/i);
});
