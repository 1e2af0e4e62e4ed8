import { describe, expect, it } from 'vitest';
import { ANONYMOUS, anonymousClient } from '../src/sasl/index.js';
import { Host, respond, talk } from './sasl-dialogue.js';

const MALFORMED = 'refused bad-credentials: malformed response';

describe('ANONYMOUS', () => {
  it('has the exchange of RFC 4505 section 4', async () => {
    const host = new Host();
    expect(await respond(ANONYMOUS, host, [null])).toBe('+ ');
    expect(await respond(ANONYMOUS, host, [null, 'sirhc'])).toBe('accepted');
    expect(host.asked).toEqual([{ type: 'anonymous', trace: 'sirhc' }]);
  });

  const taken: readonly (readonly [what: string, response: string, trace: string])[] = [
    ['nothing', '', ''],
    ['an address', 'ann@example.org', 'ann@example.org'],
    ['255 characters of four octets', '\xf0\x9f\xab\xa0'.repeat(255), '🫠'.repeat(255)],
  ];
  for (const [what, response, trace] of taken) {
    it(`takes ${what} as a trace`, async () => {
      const host = new Host();
      expect(await respond(ANONYMOUS, host, [response])).toBe('accepted');
      expect(host.asked).toEqual([{ type: 'anonymous', trace }]);
    });
  }

  const refused: readonly (readonly [what: string, response: string])[] = [
    ['256 characters', 'x'.repeat(256)],
    ['1021 octets', `${'\xf0\x9f\xab\xa0'.repeat(255)}x`],
    ['what is not UTF-8', '\xff'],
    ['a line end', 'a\r\nb'],
    ['a line separator', 'a\xe2\x80\xa8b'],
    ['an escape sequence', '\x1b[2J'],
    ['what turns the direction of display', '\xe2\x80\xaeevil'],
  ];
  for (const [what, response] of refused) {
    it(`refuses ${what}`, async () => {
      const host = new Host();
      expect(await respond(ANONYMOUS, host, [response])).toBe(MALFORMED);
      expect(host.asked).toEqual([]);
    });
  }

  it('has a client that says what it is told, or nothing', async () => {
    const said = (await talk(anonymousClient({ trace: 'jörg' }), ANONYMOUS, new Host())).said;
    expect(said).toEqual(['C: j\xc3\xb6rg']);
    expect(await talk(anonymousClient(), ANONYMOUS, new Host())).toMatchObject({
      said: ['C: '],
      outcome: 'accepted',
      complete: true,
    });
    expect(() => anonymousClient({ trace: 'a\nb' })).toThrow(
      'A trace has up to 255 characters, none of control.',
    );
    expect(() => anonymousClient({ trace: 'x'.repeat(256) })).toThrow('A trace has up to 255 characters');
  });
});
