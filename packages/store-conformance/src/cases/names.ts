import { expectEqual, expectTrue } from '../assert.js';
import type { ConformanceCase, ConformanceGroup } from '../case.js';
import { messages } from '../fixtures.js';
import { Session } from '../trial.js';

const HARMLESS =
  'A name is a key and nothing else: no path, prefix, pattern or property. A store refuses it, or opens a maildrop of ' +
  "its own, which is empty; it does not fail, and opens nobody else's maildrop (MessageStore.open).";

/** Names that a peer may log in with, made from the name of a maildrop with mail in it. */
const NAMES: readonly { readonly name: string; readonly from: (victim: string) => string }[] = [
  { name: 'the empty name', from: () => '' },
  { name: 'a dot', from: () => '.' },
  { name: 'two dots', from: () => '..' },
  { name: 'a slash', from: () => '/' },
  { name: 'a backslash', from: () => '\\' },
  { name: 'a space', from: () => ' ' },
  { name: 'NUL', from: () => '\0' },
  { name: 'a path up and down again', from: (victim) => `../${victim}` },
  { name: 'a path up and down again with backslashes', from: (victim) => `..\\${victim}` },
  { name: 'a path to itself', from: (victim) => `./${victim}` },
  { name: 'a path through another name', from: (victim) => `x/../${victim}` },
  { name: 'a path through itself', from: (victim) => `${victim}/../${victim}` },
  { name: 'a slash before a name', from: (victim) => `/${victim}` },
  { name: 'a slash after a name', from: (victim) => `${victim}/` },
  { name: 'a slash and a dot after a name', from: (victim) => `${victim}/.` },
  { name: 'a path far up', from: () => '../../../../../../../../etc' },
  { name: 'an absolute path', from: () => '/etc' },
  { name: 'an encoded path', from: (victim) => `%2e%2e%2f${victim}` },
  { name: 'an encoded slash', from: (victim) => `.%2F${victim}` },
  { name: 'a NUL after a name', from: (victim) => `${victim}\0` },
  { name: 'a NUL and more after a name', from: (victim) => `${victim}\0/x` },
  { name: 'a line end after a name', from: (victim) => `${victim}\r\n` },
  { name: 'a space after a name', from: (victim) => `${victim} ` },
  { name: 'a dot after a name', from: (victim) => `${victim}.` },
  { name: 'a name without its last character', from: (victim) => victim.slice(0, -1) },
  { name: 'a name twice', from: (victim) => victim + victim },
  { name: 'a pattern', from: () => '*' },
  { name: 'a pattern that ends like a name', from: (victim) => `?${victim.slice(1)}` },
  { name: 'fullwidth dots and a fullwidth slash', from: (victim) => `\uff0e\uff0e\uff0f${victim}` },
  { name: 'a fraction slash', from: (victim) => `..\u2044${victim}` },
  { name: 'a division slash', from: (victim) => `..\u2215${victim}` },
  { name: 'a two dot leader', from: (victim) => `\u2025/${victim}` },
  { name: 'one dot leaders', from: (victim) => `\u2024\u2024/${victim}` },
  { name: 'a fullwidth name', from: (victim) => fullwidth(victim) },
  { name: 'a zero width space in a name', from: (victim) => `${victim.slice(0, 1)}\u200b${victim.slice(1)}` },
  { name: 'half a surrogate pair', from: () => '\ud800' },
  { name: 'a name of 300 characters', from: () => 'n'.repeat(300) },
  { name: 'a name of 300 characters outside of ASCII', from: () => '\u00fc'.repeat(300) },
  { name: 'a name of 70 000 characters', from: () => 'n'.repeat(70_000) },
  { name: 'a property of every object', from: () => '__proto__' },
  { name: 'a method of every object', from: () => 'constructor' },
  { name: 'a home directory', from: () => '~' },
  { name: 'an option', from: () => '-rf' },
  { name: 'directories of a Maildir', from: (victim) => `${victim}/new` },
  { name: 'a device', from: () => 'NUL' },
];

export const namesCases: ConformanceGroup = {
  name: 'names',
  cases: NAMES.map(
    ({ name, from }): ConformanceCase => ({
      name: `opens nobody else's maildrop for ${name}`,
      rule: HARMLESS,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const maildrop = from(subject.identity.maildrop);
        expectTrue(
          maildrop !== subject.identity.maildrop,
          'the name of the case is that of its victim: choose a longer one for identity.maildrop',
        );
        const session = await subject.tryOpen({ maildrop, username: maildrop });
        if (session instanceof Session) {
          expectEqual(session.listing.count, 0, 'number of messages in a maildrop without mail');
          await subject.expectHolds(messages(2), 'while the other name is held');
          await session.commitAndRelease([]);
        } else {
          expectEqual(session.type, 'refused', 'type of the refusal');
          expectTrue(session.reason !== 'in-use', 'refused with "in-use" although nobody holds any maildrop');
        }
        await subject.expectHolds(messages(2), 'after the other name was tried');
      },
    }),
  ),
};

function fullwidth(name: string): string {
  return name.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0));
}
