import { SEED } from './corpus.js';
import { SERVER } from './server.js';

/** One message as a client left it behind, beside what it should be. */
export interface Received {
  readonly name: string;
  readonly expected: Uint8Array;
  /** Undefined when the client left nothing. */
  readonly actual: Uint8Array | undefined;
}

/** One line for each message that is not the same octet by octet; empty when all are. */
export function differences(messages: readonly Received[]): string[] {
  return messages.flatMap(({ name, expected, actual }) => {
    if (actual === undefined) return [`${name}: not received`];
    if (Buffer.compare(expected, actual) === 0) return [];
    let at = 0;
    while (at < expected.length && expected[at] === actual[at]) at++;
    const lengths = `${expected.length} octets expected, ${actual.length} received`;
    return [`${name}: ${lengths}, differ at ${at}: ${around(expected, at)} became ${around(actual, at)}`];
  });
}

/** The octets around a place, readable. */
function around(octets: Uint8Array, at: number): string {
  return JSON.stringify(Buffer.from(octets.subarray(Math.max(0, at - 12), at + 20)).toString('latin1'));
}

/** Counts what a test file has compared, for a line a person reads. */
export class Summary {
  readonly #client: string;
  readonly #server: string;
  readonly #lines: string[] = [];

  constructor(client: string, server: string = SERVER) {
    this.#client = client;
    this.#server = server;
  }

  /** {@link differences}, counted under the title `what`. */
  compared(what: string, messages: readonly Received[]): string[] {
    const different = differences(messages);
    const octets = messages.reduce((sum, { expected }) => sum + expected.length, 0);
    const same = `${messages.length - different.length} of ${messages.length}`;
    this.#lines.push(`${what}: ${same} messages identical, ${octets} octets`);
    return different;
  }

  /** Prints one line for each comparison. */
  print(): void {
    console.log([`${this.#client} against ${this.#server}, seed ${SEED}`, ...this.#lines].join('\n  '));
  }
}
