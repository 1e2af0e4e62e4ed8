import type { Pop3Message } from '@pop3/client-node';
import { EXIT, Failure } from './failure.js';

export type MessageFacts = Pick<Pop3Message, 'number' | 'octets' | 'uniqueId'>;

const RANGE = /^(\d{1,15})?(-)?(\d{1,15})?$/;

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Messages that were asked for: by numbers, ranges and unique-ids, or all of them. */
export class Selection {
  readonly #all: boolean;
  readonly #ranges: readonly Range[];
  readonly #uniqueIds: ReadonlySet<string>;
  /** What was asked for by name, and not seen yet. */
  readonly #missing: Set<string>;
  readonly #seen = new Set<string>();
  /** A unique-id that was asked for, and that several messages have. */
  #ambiguous: string | null = null;

  /**
   * @param operands - such as `3`, `3-7`, `12-`, `1,4` or `all`
   * @throws Failure for what is none of these
   */
  constructor(operands: readonly string[], uniqueIds: readonly string[]) {
    const words = operands.flatMap((operand) => operand.split(','));
    this.#all = words.includes('all');
    this.#ranges = words.filter((word) => word !== 'all').map(rangeOf);
    this.#uniqueIds = new Set(uniqueIds);
    this.#missing = new Set([
      ...this.#ranges.filter(isSingle).map(({ first }) => `message ${first}`),
      ...uniqueIds.map((uniqueId) => `unique-id ${uniqueId}`),
    ]);
  }

  get empty(): boolean {
    return !this.#all && this.#ranges.length === 0 && this.#uniqueIds.size === 0;
  }

  /** Whether no more than one message can be meant. */
  get single(): boolean {
    const [range] = this.#ranges;
    if (this.#all || this.#ranges.length + this.#uniqueIds.size !== 1) return false;
    return range === undefined || isSingle(range);
  }

  /** Whether a message of the listing is meant. */
  readonly wants = ({ number, uniqueId }: MessageFacts): boolean => {
    this.#missing.delete(`message ${number}`);
    if (uniqueId !== null && this.#uniqueIds.has(uniqueId)) {
      this.#missing.delete(`unique-id ${uniqueId}`);
      if (this.#seen.has(uniqueId)) this.#ambiguous = uniqueId;
      this.#seen.add(uniqueId);
      return true;
    }
    return this.#all || this.#ranges.some(({ first, last }) => number >= first && number <= last);
  };

  /**
   * Once all of the listing has been seen: on a server that is wrong, one unique-id may mean several messages, and only one of
   * them was meant.
   *
   * @throws Failure then
   */
  checkUnambiguous(): void {
    if (this.#ambiguous === null) return;
    const text = `several messages have the unique-id ${this.#ambiguous}; look with pop3 list, and name one by its number`;
    throw new Failure(EXIT.unavailable, text);
  }

  /** What was asked for by name and is not there, once all of the listing has been seen. Of ranges what is there counts. */
  get missing(): readonly string[] {
    return [...this.#missing];
  }
}

function rangeOf(word: string): Range {
  const [match, first, dash, last] = RANGE.exec(word) ?? [];
  if (!match || (first === undefined && last === undefined) || first === '0' || last === '0') {
    const text = `"${word}" is no message; give numbers from 1 as pop3 list shows them: 3, 3-7, 12-, or all`;
    throw new Failure(EXIT.usage, text);
  }
  const range = {
    first: Number(first ?? 1),
    last: dash === undefined ? Number(first) : Number(last ?? Number.MAX_SAFE_INTEGER),
  };
  if (range.first > range.last) throw new Failure(EXIT.usage, `${word} ends before it begins`);
  return range;
}

function isSingle({ first, last }: Range): boolean {
  return first === last;
}
