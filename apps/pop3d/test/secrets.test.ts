import { createHash, createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../src/config/load.js';
import { openLog } from '../src/log.js';
import { openParts } from '../src/parts.js';
import { createServer as createPop3d } from '../src/server.js';
import { place } from './check/place.js';
import { Client, serve } from './pop3d.js';

/** What must be seen nowhere, whichever way a login fails. */
const SECRETS = {
  stored: 'kept-4f1c9b',
  wrong: 'tried-77aa02',
  token: 'token-e03d51',
  clientSecret: 'client-9b6d40',
  authorization: 'Bearer-c5120f',
} as const;
const MECHANISMS = [
  'SCRAM-SHA-256',
  'SCRAM-SHA-512',
  'SCRAM-SHA-1',
  'OAUTHBEARER',
  'XOAUTH2',
  'PLAIN',
  'LOGIN',
  'CRAM-MD5',
];
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A secret in each form in which it could be seen. */
function formsOf(secret: string): string[] {
  const inBase64 = [0, 1, 2].map((shift) => {
    // In the midst of other text, wherever in a group of three it begins.
    const text = base64('x'.repeat(shift) + secret);
    return text.slice(shift === 0 ? 0 : shift + 1, -4);
  });
  return [secret, Buffer.from(secret).toString('hex'), ...inBase64];
}

/** A configuration where each login fails, by a wrong secret or by a fault of what it asks. */
async function failing(): Promise<string> {
  // Says of each token that it is good no more, and of each user that it is broken.
  const service = createServer((request, response) => {
    response.statusCode = request.url === '/users' ? 500 : 200;
    response.end(JSON.stringify({ active: false, password: SECRETS.stored }));
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void service.close());
  const origin = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const { folder, write } = await place();
  writeFileSync(
    join(folder, 'users'),
    `ann:{PLAIN}${SECRETS.stored}\nbob:{NOPE}${SECRETS.stored}\n${SECRETS.stored}\n`,
  );
  writeFileSync(join(folder, 'client.secret'), `${SECRETS.clientSecret}\n`);
  writeFileSync(join(folder, 'lookup.authorization'), `${SECRETS.authorization}\n`);
  return write(`
[server]
listen = ["127.0.0.1:0"]
mechanisms = ${JSON.stringify(MECHANISMS)}
[users]
file = "users"
[lookup]
type = "http"
url = "${origin}/users"
authorization_file = "lookup.authorization"
accepts = ["password", "apop", "cram-md5", "scram-sha-256"]
[oauth]
introspection_url = "${origin}/introspect"
client_id = "pop3d"
client_secret_file = "client.secret"
[store]
maildir = "mail/{user}"
[throttle]
enabled = false
[limits]
failed_login_delay_seconds = 0
max_failed_logins = 1000
max_bad_commands = 1000
[log]
level = "debug"
`);
}

/** Answers a challenge with what does not prove the password. */
type Answer = (challenge: string) => string;

const wrongProof: Answer = (challenge) => {
  const [, nonce = ''] = /r=([^,]*)/.exec(challenge) ?? [];
  const proof = createHash('sha256').update(SECRETS.wrong).digest('base64');
  return `c=biws,r=${nonce},p=${proof}`;
};

/** Each way to fail: a line, and the answers to what the server asks for then. */
function failures(timestamp: string): [line: string, ...answers: (string | Answer)[]][] {
  const { wrong, token } = SECRETS;
  const digest = createHash('md5')
    .update(timestamp + wrong)
    .digest('hex');
  const bearer = `n,a=ann,\u0001auth=Bearer ${token}\u0001\u0001`;
  const perMechanism = MECHANISMS.flatMap((name): [string, ...(string | Answer)[]][] => [
    [`AUTH ${name} ${base64(wrong)}`],
    [`AUTH ${name} ${wrong}!`],
    [`AUTH ${name} ${base64(`\u00ff${wrong}`)}`, '*'],
    [`AUTH ${name}`, `${wrong} `],
  ]);
  return [
    ['USER ann', `PASS ${wrong}`],
    [`USER ${'nobody'}`, `PASS ${wrong}`],
    ['USER bob', `PASS ${wrong}`],
    [`PASS ${wrong}`],
    [`PASSS ${wrong}`],
    [`PASS  ${wrong}${'x'.repeat(300)}`],
    [`APOP ann ${digest}`],
    [`APOP ann ${wrong}`],
    [`APOP ${'nobody'} ${digest}`],
    [`AUTH GSSAPI ${base64(wrong)}`],
    [`AUTH PLAIN ${base64(`\0ann\0${wrong}`)}`],
    [`AUTH PLAIN ${base64(`bob\0ann\0${SECRETS.stored}`)}`],
    ['AUTH PLAIN', base64(`\0nobody\0${wrong}`)],
    ['AUTH LOGIN', base64('ann'), base64(wrong)],
    ['AUTH CRAM-MD5', (challenge) => `ann ${createHmac('md5', wrong).update(challenge).digest('hex')}`],
    ['AUTH CRAM-MD5', `ann ${wrong}`],
    ['AUTH SCRAM-SHA-256', 'n,,n=ann,r=abcdefgh', wrongProof],
    ['AUTH SCRAM-SHA-1', 'n,,n=nobody,r=abcdefgh', wrongProof],
    ['AUTH SCRAM-SHA-512', `n,,n=ann,r=abcdefgh,x=${wrong}`],
    [`AUTH OAUTHBEARER ${base64(bearer)}`, '\u0001'],
    ['AUTH XOAUTH2', `user=ann\u0001auth=Bearer ${token}\u0001\u0001`, ''],
    ...perMechanism,
  ];
}

/** Goes through one of them, and returns what the server has said. */
async function fail(client: Client, [line, ...answers]: [string, ...(string | Answer)[]]): Promise<string> {
  let status = await client.say(line);
  let said = status;
  for (const answer of answers) {
    const isChallenge = status.startsWith('+ ');
    if (!isChallenge && !status.startsWith('+OK')) break;
    const challenge = Buffer.from(status.slice(2), 'base64').toString();
    said += `\n${challenge}`;
    const text = typeof answer === 'string' ? answer : answer(challenge);
    const asIs = !isChallenge || text === '*' || text.endsWith(' ') || /^[A-Za-z0-9+/]+=*$/.test(text);
    status = await client.say(asIs ? text : base64(text));
    said += `\n${status}`;
  }
  if (status.startsWith('+')) said += `\n${await client.say('*')}`;
  return said;
}

it('is looked for in the forms that it would have on the wire', () => {
  for (const before of ['', 'a', 'ab', 'abc']) {
    const line = base64(`${before}\0${SECRETS.wrong}`);
    expect(
      formsOf(SECRETS.wrong).some((form) => line.includes(form)),
      line,
    ).toBe(true);
  }
});

it('no secret is seen in any reply, log line or trace, however a login fails', async () => {
  const file = await failing();
  const running = await serve(['--config', file]);
  let said = '';
  let failed = 0;
  const client = await Client.open(running.endpoints[0]?.port ?? 0);
  const timestamp = /<.*>/.exec(client.greeting)?.[0] ?? '';
  for (const failure of failures(timestamp)) {
    const replies = await fail(client, failure);
    expect(replies, failure[0]).toMatch(/-ERR/);
    said += replies;
    failed++;
  }
  expect(failed).toBeGreaterThan(50);
  await client.say('QUIT');
  await client.closed;
  running.signal('SIGTERM');
  const { stdout, stderr } = await running.ended;
  // Faults of the look-up, refusals and traces are all in there.
  expect(stderr).toMatch(/"msg":"fault"/);
  expect(stderr).toMatch(/login refused: peer=127\.0\.0\.1 reason=bad-credentials user=ann/);
  expect(stderr).toMatch(/"msg":"trace"/);
  for (const [name, secret] of Object.entries(SECRETS)) {
    for (const form of formsOf(secret)) {
      expect(form.length).toBeGreaterThan(7);
      for (const [where, text] of Object.entries({ said, stdout, stderr })) {
        expect(text.includes(form), `${name} as ${form} in ${where}`).toBe(false);
      }
    }
  }
});

it('no secret is seen by looking at the configuration, the parts and the server, or in their errors', async () => {
  const config = loadConfig({ file: await failing(), environment: {}, flags: {} });
  const problems: string[] = [];
  const parts = openParts(config, {
    log: openLog({ level: 'silent', format: 'json' }).log,
    tls: null,
    secret: null,
    throttleStore: null,
    onUsersProblem: ({ message }) => problems.push(message),
    onLookupProblem: ({ message }) => problems.push(message),
    onThrottled: (throttled) => problems.push(inspect(throttled)),
  });
  const server = createPop3d(config, parts);
  expect(problems.length).toBeGreaterThan(0);
  const context = {
    signal: new AbortController().signal,
    peer: { address: '127.0.0.1', tls: true, certificate: null },
  };
  const errors: unknown[] = [];
  for (const credentials of [
    { type: 'password', username: 'ann', password: SECRETS.wrong, authorizationId: '' },
    { type: 'token', username: 'ann', token: SECRETS.token },
  ] as const) {
    await Promise.resolve(parts.authenticator.authenticate(credentials, context)).then(
      (outcome) => errors.push(outcome),
      (error: unknown) => errors.push(error),
    );
  }
  expect(errors).toHaveLength(2);
  const options = {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
  };
  const seen = inspect([config, parts, server, problems, errors], options);
  for (const [name, secret] of Object.entries(SECRETS)) {
    for (const form of formsOf(secret)) expect(seen.includes(form), `${name} as ${form}`).toBe(false);
  }
});
