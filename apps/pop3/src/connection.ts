import {
  type ConnectOptions,
  connectPop3,
  type Pop3Client,
  type Progress,
  type Timeouts,
  type TlsMode,
} from '@pop3/client-node';
import type { ClientTrace } from '@pop3/core';
import type { Call } from './call.js';
import { EXIT, Failure } from './failure.js';
import { authOf } from './login.js';
import { parseServerAddress, type ServerAddress } from './server-address.js';
import { traceTo } from './trace.js';
import { certificateOf, trustOf } from './trust.js';

const TLS_MODES: readonly TlsMode[] = ['implicit', 'starttls', 'opportunistic', 'off'];
/** More cannot be meant, and does not fit into a timer of Node. */
const MAX_TIMEOUT_SECONDS = 86_400;

/** Some servers never answer QUIT. */
const GOODBYE_MS = 5_000;

/** What a command wants beside the flags. */
export interface Wishes {
  readonly onProgress?: (progress: Progress) => void;
  /** Told of the dialogue, beside `--trace`. */
  readonly onTrace?: (event: ClientTrace) => void;
}

/** Where the first operand leads. */
export function addressOf({ line }: Call): ServerAddress {
  return parseServerAddress(line.operands[0] ?? '');
}

/** Connects and logs in as the command line says. */
export async function openMaildrop(call: Call, wishes: Wishes = {}): Promise<Pop3Client> {
  const address = addressOf(call);
  const options = optionsOf(call, address, wishes);
  return connectPop3({ ...options, auth: await authOf(call, address) });
}

/** Connects, and does not log in. */
export async function openConnection(call: Call, wishes: Wishes = {}): Promise<Pop3Client> {
  return connectPop3(optionsOf(call, addressOf(call), wishes));
}

/** Says goodbye where nothing is to be deleted: whatever becomes of that, the work is done. */
export async function leave(client: Pop3Client): Promise<void> {
  await client.quit({ signal: AbortSignal.timeout(GOODBYE_MS) }).catch(() => {});
}

function optionsOf(call: Call, address: ServerAddress, { onProgress, onTrace }: Wishes): ConnectOptions {
  const { line, signal } = call;
  const { host, port } = address;
  const tls = tlsModeOf(call, address);
  const timeout = line.value('timeout');
  const shown = line.switch('trace') === true ? traceTo(call) : null;
  return {
    host,
    tls,
    signal,
    allowPlaintext: line.switch('allow-plaintext') ?? false,
    trust: trustOf(line),
    ...(port !== null && { port }),
    ...certificateOf(line),
    ...(timeout !== null && { timeouts: timeoutsOf(timeout) }),
    ...(onProgress !== undefined && { onProgress }),
    trace: (event) => {
      shown?.(event);
      onTrace?.(event);
    },
  };
}

/** What is said wins; port 110 has no TLS from the start. */
function tlsModeOf({ line }: Call, { tls, port }: ServerAddress): TlsMode {
  const said = line.value('tls');
  if (said === null) return tls ?? (port === 110 ? 'starttls' : 'implicit');
  const mode = TLS_MODES.find((known) => known === said);
  if (mode === undefined) throw wrong(`--tls ${said} is not known; known are ${TLS_MODES.join(', ')}`);
  if (tls === 'implicit' && mode !== tls)
    throw wrong(`pops:// is TLS from the start; leave out --tls ${said}`);
  return mode;
}

function timeoutsOf(text: string): Timeouts {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS)) {
    throw wrong(`--timeout ${text} is no number of seconds from 0 to ${MAX_TIMEOUT_SECONDS}`);
  }
  const ms = Math.ceil(seconds * 1000);
  return {
    connectMs: ms,
    tlsMs: ms,
    greetingMs: ms,
    loginMs: ms,
    commandMs: ms,
    quitMs: ms,
    silenceMs: ms,
  };
}

function wrong(message: string): Failure {
  return new Failure(EXIT.usage, message);
}
