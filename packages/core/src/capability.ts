import { lineOf } from './text.js';

/** What a server says it can do (RFC 2449 section 5): tags in upper case, with their parameters as sent. */
export type Capabilities = ReadonlyMap<string, readonly string[]>;

/**
 * The lines of a CAPA response without line ends, at most 510 octets each (RFC 2449 section 3). What is not printable
 * ASCII becomes `?`, so that no parameter can break its line.
 */
export function encodeCapabilities(capabilities: Capabilities): string[] {
  return Array.from(capabilities, ([tag, parameters]) => lineOf([tag, ...parameters].join(' ')));
}

/** Reads the lines of a CAPA response. Unknown tags are kept, case does not matter, empty lines are skipped. */
export function parseCapabilities(lines: Iterable<string>): Capabilities {
  const capabilities = new Map<string, readonly string[]>();
  for (const line of lines) {
    const [tag, ...parameters] = line.split(' ').filter(Boolean);
    if (tag !== undefined) capabilities.set(tag.toUpperCase(), parameters);
  }
  return capabilities;
}
