import { passwordSchemes, problemOfNetwork } from '@pop3/auth-node';
import { MECHANISM_NAMES } from '@pop3/server-node';
import * as v from 'valibot';
import { parseEndpoint } from './endpoint.js';

/**
 * Everything that can be configured: what is allowed in each place, what it means, and which flag sets it.
 *
 * Messages of the checks go on after "must be", so that an error tells what to do.
 */

const text = v.pipe(v.string('a text in quotes'), v.nonEmpty('a text that is not empty'));
/** Timers of Node hold 2^31 - 1 milliseconds, and the time for sessions is not all that one waits for. */
const MAX_SECONDS = 2_147_000;
const MAX_COUNT = 2 ** 31 - 1;
const within = (what: string, least: number, most: number) =>
  v.pipe(
    v.number(`${what} from ${least} to ${most}`),
    v.minValue(least, `${what} from ${least} to ${most}`),
    v.maxValue(most, `${what} from ${least} to ${most}`),
  );
const whole = (least: number, most = MAX_COUNT) =>
  v.pipe(within('a whole number', least, most), v.integer(`a whole number from ${least} to ${most}`));
const seconds = within('a number of seconds', 0, MAX_SECONDS);
const wholeSeconds = (least: number) => whole(least, MAX_SECONDS);
// What a line of the protocol can carry, and where < would begin the timestamp of APOP.
const greeting = v.pipe(
  text,
  v.regex(/^[ -;=-~]{1,200}$/, 'at most 200 characters of ASCII, none of them <'),
);
const implementation = v.pipe(
  text,
  v.regex(/^(?! )[ -~]{1,255}(?<! )$/, 'at most 255 characters of ASCII, with no space at either end'),
);
const oneOf = <const Choices extends readonly string[]>(choices: Choices) =>
  v.picklist(choices, `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`);
const endpoint = v.pipe(
  v.string('a text in quotes, such as "127.0.0.1:110"'),
  v.check(
    (input) => parseEndpoint(input) !== null,
    'HOST:PORT, such as "127.0.0.1:110", "[::1]:110" or "*:110"',
  ),
);
const endpoints = v.array(endpoint, 'a list, such as ["127.0.0.1:110"]');
const mechanisms = v.pipe(
  v.array(oneOf(MECHANISM_NAMES), 'a list, such as ["SCRAM-SHA-256", "PLAIN"]'),
  v.nonEmpty('a list of one mechanism or more'),
);
const networks = v.array(
  v.pipe(
    v.string('a text in quotes, such as "192.0.2.0/24"'),
    v.check(
      (input) => problemOfNetwork(input) === null,
      'an address or a network, such as "192.0.2.7", "192.0.2.0/24" or "2001:db8::/32"',
    ),
  ),
  'a list, such as ["192.0.2.0/24"]',
);
const credentialForms = v.array(
  oneOf(['password', 'apop', 'cram-md5', 'scram-sha-1', 'scram-sha-256', 'scram-sha-512']),
  'a list, such as ["password", "scram-sha-256"]',
);
const flag = v.boolean('true or false');
const url = v.pipe(
  text,
  v.check(isSafeUrl, 'an URL that starts with https://, or with http:// for this machine alone'),
);
/** What goes into one line of HTTP (RFC 9110 section 5). */
const headers = v.record(
  v.pipe(v.string(), v.regex(/^[!#$%&'*+.^`|~\w-]+$/, 'the name of a header')),
  v.pipe(v.string('a text in quotes'), v.regex(/^[\t -~]*$/, 'one line of ASCII')),
  'a table, such as { X-Service = "pop3" }',
);

/** Tokens and names do not go over a network in the clear. */
function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (
    protocol === 'https:' || (protocol === 'http:' && /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname))
  );
}

/** What is known of a key beside its type. */
interface About {
  readonly description: string;
  /** Whether it names a file, relative to the folder of the configuration; of a list the first item, where it has a slash. */
  readonly isFile?: boolean;
  /** The flag of the command line; the environment has it as POP3D_ and the flag in capitals. */
  readonly flag?: string;
  /** What stands for its value in the help. None for a switch. */
  readonly placeholder?: string;
  /** Where the flag means less than the key. */
  readonly flagDescription?: string;
}

function key<const Schema extends v.GenericSchema>(schema: Schema, { description, ...about }: About) {
  return v.pipe(
    schema,
    v.description<v.InferOutput<Schema>, string>(description),
    v.metadata<v.InferOutput<Schema>, Omit<About, 'description'>>(about),
  );
}

const server = v.strictObject({
  listen: key(v.optional(endpoints, []), {
    description: 'Addresses for POP3, with STLS when there is a certificate.',
    flag: 'listen',
    placeholder: 'HOST:PORT',
  }),
  listen_tls: key(v.optional(endpoints, []), {
    description: 'Addresses for POP3 inside TLS (port 995).',
    flag: 'listen-tls',
    placeholder: 'HOST:PORT',
  }),
  tls_cert: key(v.optional(text), {
    description: 'File with the certificate and its chain, PEM. Read again when it changes, and on SIGHUP.',
    flag: 'tls-cert',
    placeholder: 'FILE',
    isFile: true,
  }),
  tls_key: key(v.optional(text), {
    description: 'File with the key of the certificate, PEM.',
    flag: 'tls-key',
    placeholder: 'FILE',
    isFile: true,
  }),
  tls_client_ca: key(v.optional(text), {
    description: 'File with the authorities, PEM, whose certificates clients may log in with (EXTERNAL).',
    isFile: true,
  }),
  certificate_user: key(v.optional(oneOf(['email', 'common-name']), 'email'), {
    description: 'What names the user in the certificate of a client: an address of it, or its common name.',
  }),
  tls_ticket_key_file: key(v.optional(text), {
    description:
      'File with 48 random octets, the same on each machine, so that TLS sessions resume on any of them.',
    isFile: true,
  }),
  plaintext_auth: key(v.optional(oneOf(['refuse', 'allow', 'allow-on-loopback']), 'allow-on-loopback'), {
    description: 'Passwords on connections without TLS.',
    flag: 'allow-plaintext-auth',
    flagDescription: 'Take passwords on connections without TLS from anywhere, not only from this machine.',
  }),
  mechanisms: key(v.optional(mechanisms), {
    description:
      'SASL mechanisms to offer. By default all but CRAM-MD5, ANONYMOUS and -PLUS, as far as they can work.',
  }),
  trusted_proxies: key(v.optional(networks, []), {
    description: 'Networks of proxies that may say whom they speak for, by PROXY or XCLIENT.',
  }),
  greeting: key(v.optional(greeting, 'POP3 server ready'), { description: 'Text of the first line.' }),
  implementation: key(v.optional(implementation, 'pop3d'), { description: 'Announced as IMPLEMENTATION.' }),
  expire: key(v.optional(v.union([v.literal('never'), whole(0)], 'a number of days, or "never"'), 'never'), {
    description: 'Announced as EXPIRE: after how many days something else deletes messages here.',
  }),
  login_delay_seconds: key(v.optional(wholeSeconds(1)), {
    description: 'Least time between two logins to one maildrop.',
  }),
  workers: key(v.optional(whole(1, 256), 1), {
    description: 'Processes that share the listeners. More than one costs extra for each connection.',
    flag: 'workers',
    placeholder: 'N',
  }),
  drain_seconds: key(v.optional(seconds, 10), {
    description: 'How long sessions may go on after SIGTERM.',
  }),
});

const listener = v.strictObject({
  address: key(endpoint, { description: 'Where to listen.' }),
  tls: key(v.optional(oneOf(['off', 'starttls', 'implicit'])), {
    description:
      '"starttls" offers STLS, "implicit" is TLS from the start. By default "starttls" when there is a certificate.',
  }),
  min_version: key(v.optional(oneOf(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']), 'TLSv1.2'), {
    description: 'The oldest version of TLS. Below "TLSv1.2" is for clients that nobody can replace.',
  }),
  proxy_protocol: key(v.optional(flag, false), {
    description: 'A proxy of server.trusted_proxies begins each connection with the PROXY protocol.',
  }),
  xclient: key(v.optional(flag, false), {
    description: 'A proxy of server.trusted_proxies may send XCLIENT.',
  }),
  trust_proxy_tls: key(v.optional(flag, false), {
    description: 'Passwords are taken where the proxy says that its client used TLS.',
  }),
});

const certificate = v.strictObject({
  cert: key(text, {
    description:
      'File with a further certificate and its chain, for clients that ask for one of its names (SNI).',
    isFile: true,
  }),
  key: key(text, { description: 'File with its key.', isFile: true }),
});

const users = v.strictObject({
  file: key(v.optional(text), {
    description: "The users file, in Dovecot's passwd-file format. Read again when it changes.",
    flag: 'users',
    placeholder: 'FILE',
    isFile: true,
  }),
  default_scheme: key(v.optional(oneOf(passwordSchemes.map(({ names }) => names[0]))), {
    description:
      'How to read passwords without {SCHEME}. Without this, such lines are reported and left out.',
    flag: 'default-scheme',
    placeholder: 'SCHEME',
  }),
  secret_file: key(v.optional(text), {
    description:
      'File with 32 random octets or more, the same on each machine: names that do not exist look alike on all.',
    isFile: true,
  }),
});

const lookup = v.strictObject({
  type: key(v.optional(oneOf(['http', 'command'])), {
    description: 'Asks a service of yours for each user, beside the users file or in place of it.',
  }),
  url: key(v.optional(url), {
    description: 'For "http": who is asked, by a POST for each user.',
  }),
  headers: key(v.optional(headers), { description: 'For "http": what to send along.' }),
  authorization_file: key(v.optional(text), {
    description: 'For "http": file with the value of the header Authorization.',
    isFile: true,
  }),
  command: key(
    v.optional(
      v.pipe(
        v.array(text, 'a list, such as ["/usr/local/bin/find-user"]'),
        v.nonEmpty('a list with a program'),
      ),
    ),
    {
      description: 'For "command": the program and its arguments. No shell is involved.',
      isFile: true,
    },
  ),
  accepts: key(v.optional(credentialForms, ['password']), {
    description: 'What its users can log in by. All but "password" needs {PLAIN} or keys of that form.',
  }),
  timeout_seconds: key(v.optional(within('a number of seconds', 0.1, 600), 5), {
    description: 'How long an answer may take.',
  }),
});

const oauth = v.strictObject({
  issuer: key(v.optional(text), { description: 'Who must have issued a token (`iss`).' }),
  audience: key(v.optional(text), { description: 'For whom a token must be (`aud`).' }),
  scope: key(v.optional(text), { description: 'What a token must allow, with spaces between.' }),
  jwks_url: key(v.optional(url), { description: 'The keys of the issuer, for tokens that are JWTs.' }),
  introspection_url: key(v.optional(url), {
    description: 'In place of jwks_url: the service that knows all tokens (RFC 7662).',
  }),
  client_id: key(v.optional(text), { description: 'Our name at that service.' }),
  client_secret_file: key(v.optional(text), {
    description: 'File with our secret at that service.',
    isFile: true,
  }),
  username_claim: key(v.optional(text), {
    description: 'What in a token names the user, such as "email".',
  }),
  openid_configuration: key(v.optional(url), {
    description: 'Where clients learn how to get a token, told to those whose token is refused.',
  }),
});

const anonymous = v.strictObject({
  maildrop: key(v.optional(text), {
    description: 'What AUTH ANONYMOUS opens. It has to be in server.mechanisms as well.',
  }),
});

const sdps = v.strictObject({
  enabled: key(v.optional(flag, false), {
    description:
      'Offers *ENV and names that choose a part of a maildrop, as Demon Internet did. Accounts with @ or + in the name have to be in the users file.',
  }),
});

const store = v.strictObject({
  maildir: key(v.optional(text), {
    description: 'Where the Maildir of a user is; {user} stands for the name.',
    flag: 'maildir',
    placeholder: 'TEMPLATE',
    isFile: true,
  }),
});

const throttle = v.strictObject({
  enabled: key(v.optional(flag, true), {
    description: 'Slows down whoever guesses passwords, and nobody who knows one.',
  }),
  address_free: key(v.optional(whole(1), 10), {
    description: 'Failed logins from one address, of any users, before it has to wait.',
  }),
  pair_free: key(v.optional(whole(1), 3), {
    description: 'Failed logins of one user from one address before the two have to wait.',
  }),
  user_free: key(v.optional(whole(1), 10), {
    description: 'Failed logins of one user, from anywhere, before failures are answered later.',
  }),
  first_wait_seconds: key(v.optional(within('a number of seconds', 0.001, MAX_SECONDS), 1), {
    description: 'The first wait; doubled with each further failure.',
  }),
  max_wait_seconds: key(v.optional(within('a number of seconds', 0.001, MAX_SECONDS), 30), {
    description: 'Where that doubling ends.',
  }),
  half_life_seconds: key(v.optional(wholeSeconds(1), 900), {
    description: 'Time in which half of the failures are forgotten.',
  }),
  known_days: key(v.optional(whole(0, 365), 14), {
    description: 'How long a user who has logged in from an address does not suffer from others there.',
  }),
  exempt: key(v.optional(networks, []), {
    description: 'Networks that are not counted, such as that of a webmail server.',
  }),
});

const limits = v.strictObject({
  max_connections: key(v.optional(whole(1), 10_000), { description: 'At the same time, in all.' }),
  max_connections_per_address: key(v.optional(whole(1), 100), {
    description: 'At the same time, from one address.',
  }),
  max_failed_logins: key(v.optional(whole(1), 5), {
    description: 'On one connection, before it is closed.',
  }),
  max_bad_commands: key(v.optional(whole(1), 20), {
    description: 'In a row, before the connection is closed.',
  }),
  max_command_octets: key(v.optional(whole(255), 255), {
    description: 'Length of a command line (RFC 2449).',
  }),
  max_sasl_line_octets: key(v.optional(whole(255), 65_536), {
    description: 'Length of an AUTH line or a response to a challenge.',
  }),
  login_timeout_seconds: key(v.optional(wholeSeconds(1), 120), {
    description: 'From the connection to the login.',
  }),
  autologout_seconds: key(v.optional(wholeSeconds(600), 600), {
    description: 'Without a command, after the login; at least 600 (RFC 1939).',
  }),
  send_timeout_seconds: key(v.optional(wholeSeconds(1), 120), {
    description: 'For a peer to take what is sent.',
  }),
  failed_login_delay_seconds: key(v.optional(seconds, 1), {
    description: 'Before the first failed login is answered; doubled with each one.',
  }),
  max_failed_login_delay_seconds: key(v.optional(seconds, 16), { description: 'Where that doubling ends.' }),
});

const log = v.strictObject({
  level: key(v.optional(oneOf(['debug', 'info', 'warn', 'error', 'silent']), 'info'), {
    description: 'The least that is logged. "debug" has each command, with secrets masked.',
    flag: 'log-level',
    placeholder: 'LEVEL',
  }),
  format: key(v.optional(oneOf(['auto', 'json', 'text']), 'auto'), {
    description: '"auto" is text on a terminal and JSON lines elsewhere.',
  }),
});

function tables<const Schema extends v.GenericSchema>(name: string, schema: Schema) {
  return v.optional(v.array(schema, `one table or more, each under [[${name}]]`), []);
}

/** The shape of the configuration file. */
export const configSchema = v.strictObject({
  server: v.optional(server, {}),
  listener: tables('listener', listener),
  certificate: tables('certificate', certificate),
  users: v.optional(users, {}),
  lookup: v.optional(lookup, {}),
  oauth: v.optional(oauth, {}),
  anonymous: v.optional(anonymous, {}),
  store: v.optional(store, {}),
  sdps: v.optional(sdps, {}),
  throttle: v.optional(throttle, {}),
  limits: v.optional(limits, {}),
  log: v.optional(log, {}),
});

export type Config = v.InferOutput<typeof configSchema>;

/** Seconds of the configuration as what timers take. */
export function inMs(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** One key of the configuration, for documents and for the places that it can be set from. */
export interface Setting {
  readonly section: string;
  readonly key: string;
  /** Whether the section may be there several times: `[[section]]`. */
  readonly repeated: boolean;
  /** How a text from the environment or the command line becomes a value; a table cannot come from there. */
  readonly kind: 'text' | 'number' | 'switch' | 'list' | 'table';
  readonly isFile: boolean;
  readonly description: string;
  /** Undefined for none. */
  readonly default: unknown;
  /** Without the hyphens. */
  readonly flag: string | null;
  readonly placeholder: string | null;
  readonly flagDescription: string;
  /** Name in the environment; null for what only the file can have. */
  readonly variable: string | null;
}

/** A union is a number or a word. */
const KINDS: Readonly<Record<string, Setting['kind']>> = {
  array: 'list',
  number: 'number',
  union: 'number',
  boolean: 'switch',
  record: 'table',
};

/** Every key, in the order of the schema. */
export const settings: readonly Setting[] = Object.entries(configSchema.entries).flatMap(
  ([section, { wrapped }]) => {
    const repeated = wrapped.type === 'array';
    const { entries } = wrapped.type === 'array' ? wrapped.item : wrapped;
    return Object.entries<v.GenericSchema>(entries).map(([key, schema]) =>
      settingOf(section, repeated, key, schema),
    );
  },
);

function settingOf(section: string, repeated: boolean, key: string, schema: v.GenericSchema): Setting {
  const description = v.getDescription(schema as never) as string;
  const { flag, placeholder, flagDescription, isFile } = v.getMetadata(schema as never) as About;
  const name = flag ?? `${section}_${key}`;
  const kind = kindOf(schema);
  return {
    section,
    key,
    repeated,
    kind,
    isFile: isFile ?? false,
    description,
    default: v.getDefault(schema as never),
    flag: flag ?? null,
    placeholder: placeholder ?? null,
    flagDescription: flagDescription ?? description,
    variable: repeated || kind === 'table' ? null : `POP3D_${name.replaceAll('-', '_').toUpperCase()}`,
  };
}

function kindOf(schema: v.GenericSchema): Setting['kind'] {
  const { type } = 'wrapped' in schema ? (schema.wrapped as v.GenericSchema) : schema;
  return KINDS[type] ?? 'text';
}
