/**
 * Where the keys of a TOML text stand. The parser that gives the values keeps no positions, and an error that names a
 * line is worth more than one that does not.
 */

/** 1-based, counted in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Table names and keys from the top; numbers are indices of arrays, from 0. */
export type KeyPath = readonly (string | number)[];

/** Positions of keys, tables and array elements. */
export class TomlKeys {
  readonly #offsets: ReadonlyMap<string, number>;
  readonly #text: string;

  /** @internal Use {@link tomlKeys}. */
  constructor(text: string, offsets: ReadonlyMap<string, number>) {
    this.#text = text;
    this.#offsets = offsets;
  }

  /** Where the key, or the closest table around it, is first named; null when nothing of the path is in the text. */
  positionOf(path: KeyPath): Position | null {
    for (let length = path.length; length > 0; length--) {
      const offset = this.#offsets.get(textOfPath(path.slice(0, length)));
      if (offset !== undefined) return this.#positionAt(offset);
    }
    return null;
  }

  #positionAt(offset: number): Position {
    const before = this.#text.slice(0, offset);
    const lineStart = before.lastIndexOf('\n') + 1;
    return { line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1 };
  }
}

/**
 * Finds the keys of a text.
 *
 * @param text - valid TOML: parse it first. Of anything else some positions may be missing.
 */
export function tomlKeys(text: string): TomlKeys {
  return new TomlKeys(text, new Scanner(text).scan());
}

/** A path as a key of a map. */
function textOfPath(path: KeyPath): string {
  return JSON.stringify(path);
}

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b' };

class Scanner {
  readonly #text: string;
  readonly #offsets = new Map<string, number>();
  /** Number of elements of each array of tables (`[[name]]`). */
  readonly #elements = new Map<string, number>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): ReadonlyMap<string, number> {
    let table: KeyPath = [];
    for (;;) {
      this.#skip(/[\s\uFEFF]|#[^\n]*/y);
      if (this.#at >= this.#text.length) return this.#offsets;
      if (this.#peek() === '[') table = this.#header();
      else this.#keyValue(table);
    }
  }

  /** `[table]` or `[[array of tables]]`. */
  #header(): KeyPath {
    const isElement = this.#text.startsWith('[[', this.#at);
    this.#at += isElement ? 2 : 1;
    this.#skip(/[ \t]/y);
    const start = this.#at;
    const keys = this.#keys();
    this.#skip(/[ \t\]]/y);
    let path: KeyPath = [];
    for (const [index, key] of keys.entries()) {
      path = [...path, key];
      this.#record(path, start);
      const name = textOfPath(path);
      const count = this.#elements.get(name) ?? 0;
      if (isElement && index === keys.length - 1) {
        this.#elements.set(name, count + 1);
        path = [...path, count];
        this.#record(path, start);
      } else if (count > 0) {
        // A table inside an array of tables belongs to its last element.
        path = [...path, count - 1];
      }
    }
    return path;
  }

  #keyValue(table: KeyPath): void {
    const start = this.#at;
    let path = table;
    for (const key of this.#keys()) {
      path = [...path, key];
      this.#record(path, start);
    }
    this.#skip(/[ \t=]/y);
    this.#value(path);
    // Whatever the text is, the next round starts further on.
    if (this.#at === start) this.#at++;
  }

  #value(path: KeyPath): void {
    switch (this.#peek()) {
      case '[':
        return this.#elementsUntil(']', (index) => {
          this.#record([...path, index], this.#at);
          this.#value([...path, index]);
        });
      case '{':
        return this.#elementsUntil('}', () => this.#keyValue(path));
      case '"':
      case "'":
        this.#string();
        return;
      default:
        this.#skip(/[^,\]}#\n]/y);
    }
  }

  #elementsUntil(end: string, element: (index: number) => void): void {
    this.#at++;
    for (let index = 0; ; index++) {
      this.#skip(/[\s,]|#[^\n]*/y);
      if (this.#at >= this.#text.length) return;
      if (this.#peek() === end) {
        this.#at++;
        return;
      }
      const start = this.#at;
      element(index);
      if (this.#at === start) this.#at++;
    }
  }

  /** One key or several with dots between. */
  #keys(): string[] {
    const keys: string[] = [];
    for (;;) {
      const quote = this.#peek();
      if (quote === '"' || quote === "'") keys.push(this.#string());
      else keys.push(this.#take(/[^\s.=\]"'#]*/y));
      this.#skip(/[ \t]/y);
      if (this.#peek() !== '.') return keys;
      this.#at++;
      this.#skip(/[ \t]/y);
    }
  }

  #string(): string {
    const literal = this.#peek() === "'";
    const whole = literal
      ? this.#take(/'''[\s\S]*?'{3,5}|'[^'\n]*'?/y)
      : this.#take(/"""(?:\\[\s\S]|[^\\])*?"{3,5}|"(?:\\.|[^"\\\n])*"?/y);
    const text = whole.slice(1, whole.length - 1);
    if (literal) return text;
    return text.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))/g, (_, ...found) => {
      const [short, long, octet, letter] = found as [string?, string?, string?, string?];
      const hex = short ?? long ?? octet;
      if (hex !== undefined) return String.fromCodePoint(Math.min(Number.parseInt(hex, 16), 0x10ffff));
      return ESCAPED[letter as string] ?? (letter as string);
    });
  }

  #record(path: KeyPath, offset: number): void {
    const name = textOfPath(path);
    if (!this.#offsets.has(name)) this.#offsets.set(name, offset);
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #take(sticky: RegExp): string {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #skip(sticky: RegExp): void {
    while (this.#take(sticky) !== '');
  }
}
