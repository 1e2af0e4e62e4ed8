import { passwordSchemes } from '@pop3/auth-node';
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
const endpoints = v.array(
  v.pipe(
    v.string('a text in quotes, such as "127.0.0.1:110"'),
    v.check(
      (input) => parseEndpoint(input) !== null,
      'HOST:PORT, such as "127.0.0.1:110", "[::1]:110" or "*:110"',
    ),
  ),
  'a list, such as ["127.0.0.1:110"]',
);

/** What is known of a key beside its type. */
interface About {
  readonly description: string;
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
    description: 'File with the certificate and its chain, PEM. Read again on SIGHUP.',
    flag: 'tls-cert',
    placeholder: 'FILE',
  }),
  tls_key: key(v.optional(text), {
    description: 'File with the key of the certificate, PEM.',
    flag: 'tls-key',
    placeholder: 'FILE',
  }),
  plaintext_auth: key(v.optional(oneOf(['refuse', 'allow', 'allow-on-loopback']), 'allow-on-loopback'), {
    description: 'Passwords on connections without TLS.',
    flag: 'allow-plaintext-auth',
    flagDescription: 'Take passwords on connections without TLS from anywhere, not only from this machine.',
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

const users = v.strictObject({
  file: key(v.optional(text), {
    description: "The users file, in Dovecot's passwd-file format. Read again when it changes.",
    flag: 'users',
    placeholder: 'FILE',
  }),
  default_scheme: key(v.optional(oneOf(passwordSchemes.map(({ names }) => names[0]))), {
    description:
      'How to read passwords without {SCHEME}. Without this, such lines are reported and left out.',
    flag: 'default-scheme',
    placeholder: 'SCHEME',
  }),
});

const store = v.strictObject({
  maildir: key(v.optional(text), {
    description: 'Where the Maildir of a user is; {user} stands for the name.',
    flag: 'maildir',
    placeholder: 'TEMPLATE',
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

/** The shape of the configuration file. */
export const configSchema = v.strictObject({
  server: v.optional(server, {}),
  users: v.optional(users, {}),
  store: v.optional(store, {}),
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
  /** How a text from the environment or the command line becomes a value. */
  readonly kind: 'text' | 'number' | 'list';
  readonly description: string;
  /** Undefined for none. */
  readonly default: unknown;
  /** Without the hyphens. */
  readonly flag: string | null;
  readonly placeholder: string | null;
  readonly flagDescription: string;
  /** Name in the environment. */
  readonly variable: string;
}

/** Every key, in the order of the schema. */
export const settings: readonly Setting[] = Object.entries(configSchema.entries).flatMap(
  ([section, { wrapped }]) =>
    Object.entries<v.GenericSchema>(wrapped.entries).map(([key, schema]) => settingOf(section, key, schema)),
);

function settingOf(section: string, key: string, schema: v.GenericSchema): Setting {
  const description = v.getDescription(schema as never) as string;
  const { flag, placeholder, flagDescription } = v.getMetadata(schema as never) as About;
  const name = flag ?? `${section}_${key}`;
  return {
    section,
    key,
    kind: kindOf(schema),
    description,
    default: v.getDefault(schema as never),
    flag: flag ?? null,
    placeholder: placeholder ?? null,
    flagDescription: flagDescription ?? description,
    variable: `POP3D_${name.replaceAll('-', '_').toUpperCase()}`,
  };
}

function kindOf(schema: v.GenericSchema): Setting['kind'] {
  const { type } = 'wrapped' in schema ? (schema.wrapped as v.GenericSchema) : schema;
  if (type === 'array') return 'list';
  // The one union is a number or a word.
  return type === 'number' || type === 'union' ? 'number' : 'text';
}
