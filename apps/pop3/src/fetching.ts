import type { Pop3Message, Progress } from '@pop3/client-node';
import { isPop3Error } from '@pop3/core';
import type { Call } from './call.js';
import type { Destination } from './destination/destination.js';
import { EXIT, Failure } from './failure.js';
import { messagesText, octetsText } from './octets-text.js';
import { ProgressBar } from './progress-bar.js';
import { complain, say, tell } from './say.js';
import { canErase } from './screen.js';
import type { MessageFacts, Selection } from './selection.js';

/** Messages on their way from a maildrop to a destination, and what is told of them. */
export class Fetching {
  readonly #call: Call;
  readonly #selection: Selection;
  readonly #destination: Destination;
  readonly #bar: ProgressBar | null;
  /** What the server has and somebody asked for. */
  #chosen = 0;
  /** What was stored at another time. */
  #there = 0;
  #begun = 0;
  #failed = 0;
  /** Octets of the message that is under way, and of those before. */
  #octets = 0;
  #octetsStored = 0;
  readonly #stored: MessageFacts[] = [];

  constructor(call: Call, selection: Selection, destination: Destination) {
    this.#call = call;
    this.#selection = selection;
    this.#destination = destination;
    this.#bar = drawsBar(call, destination) ? new ProgressBar(call.terminal.error) : null;
  }

  /** What is safe now. */
  get stored(): readonly MessageFacts[] {
    return this.#stored;
  }

  /** Whether a message of the listing is to be fetched. */
  readonly where = (message: MessageFacts): boolean => {
    if (!this.#selection.wants(message)) return false;
    const there = this.#destination.has(message);
    if (there) this.#there++;
    else this.#chosen++;
    return !there;
  };

  readonly progress = ({ octets, session }: Progress): void => {
    this.#octets = octets;
    this.#bar?.update({ message: this.#begun, messages: this.#chosen, ...session });
  };

  /** Stores a message. One that cannot be had or kept does not end the session. */
  async store(message: Pop3Message): Promise<void> {
    // All of the listing has been seen by now.
    this.#selection.checkUnambiguous();
    const { number, octets, uniqueId } = message;
    this.#begun++;
    this.#octets = 0;
    try {
      const file = await this.#destination.store(message, message.body());
      this.#stored.push({ number, octets, uniqueId });
      this.#octetsStored += this.#octets;
      await tell(this.#call, { number, octets: this.#octets, uniqueId, file });
    } catch (error) {
      if (!concernsOneMessage(error)) throw error;
      this.#failed++;
      this.#bar?.clear();
      complain(this.#call, `message ${number}: ${error.message}`);
      await tell(this.#call, { number, uniqueId, error: error.message });
    }
  }

  async settle(): Promise<void> {
    if (this.#stored.length > 0) await this.#destination.settle();
  }

  /** Tells what there is although the session broke off. */
  broken(deletes: boolean): void {
    this.#bar?.clear();
    if (this.#stored.length > 0 && this.#destination.keeps) {
      say(this.#call, `${this.#text()}${deletes ? '; none was deleted' : ''}`);
    }
  }

  /** Tells what was done. Whether it is all that was asked for. */
  summary(): boolean {
    this.#bar?.clear();
    for (const missing of this.#selection.missing)
      complain(this.#call, `${missing} is not there; pop3 list shows what is`);
    if (this.#there > 0) say(this.#call, `${messagesText(this.#there)} stored before`);
    if (this.#destination.keeps) say(this.#call, this.#text());
    return this.#failed === 0 && this.#selection.missing.length === 0;
  }

  #text(): string {
    return `${messagesText(this.#stored.length)}, ${octetsText(this.#octetsStored)}, stored in ${this.#destination.name}`;
  }
}

/** A bar would be lost in a file, and mixed up with a dialogue, with JSON or with a message on the screen. */
function drawsBar({ line, terminal }: Call, destination: Destination): boolean {
  if (!canErase(terminal.error) || line.switch('progress') === false) return false;
  if (line.switch('json') === true || line.switch('trace') === true) return false;
  return destination.keeps || terminal.output.isTTY !== true;
}

/** The session goes on after it. */
function concernsOneMessage(error: unknown): error is Error {
  if (error instanceof Failure) return error.exitCode === EXIT.partial;
  return isPop3Error(error) && error.code === 'POP3_REFUSED';
}
