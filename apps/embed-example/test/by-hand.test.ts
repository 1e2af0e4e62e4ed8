import { describe, expect, it } from 'vitest';
import { pop3ByHand } from '../src/by-hand.js';

describe('a session driven by hand', () => {
  it('greets, serves, and deletes at QUIT, without a promise', () => {
    const messages = new Map([
      ['first', octetsOf('Subject: hi\n\n.dot\n')],
      ['second', octetsOf('Subject: ho\n\none\ntwo\n')],
    ]);
    const exchange = pop3ByHand(messages);
    const ask = (text: string) => exchange(octetsOf(text)).map(textOf).join('');

    expect(ask('')).toBe('+OK POP3 server ready\r\n');
    expect(ask('USER any\r\nPASS any\r\n')).toMatch(/^\+OK .*\r\n\+OK 2 messages /);
    expect(ask('UIDL\r\n')).toMatch(/\r\n1 first\r\n2 second\r\n\.\r\n$/);
    expect(ask('RETR 1\r\n')).toBe('+OK 21 octets\r\nSubject: hi\r\n\r\n..dot\r\n.\r\n');
    expect(ask('TOP 2 1\r\n')).toMatch(/\r\nSubject: ho\r\n\r\none\r\n\.\r\n$/);
    expect(ask('DELE 1\r\n')).toMatch(/^\+OK/);
    expect([...messages.keys()]).toEqual(['first', 'second']);
    expect(ask('QUIT\r\n')).toBe('+OK bye\r\n');
    expect([...messages.keys()]).toEqual(['second']);
  });

  it('numbers the messages that are there at the login, not at the greeting', () => {
    const messages = new Map([['old', octetsOf('old\n')]]);
    const exchange = pop3ByHand(messages);
    const ask = (text: string) => exchange(octetsOf(text)).map(textOf).join('');
    ask('');
    messages.delete('old');
    messages.set('new', octetsOf('new\n'));
    expect(ask('USER any\r\nPASS any\r\nRETR 1\r\n')).toMatch(/\r\nnew\r\n\.\r\n$/);
    ask('DELE 1\r\nQUIT\r\n');
    expect(messages.size).toBe(0);
  });

  it('gives the same answers to input that comes octet by octet', () => {
    const dialogue =
      'USER any\r\nPASS any\r\nLIST\r\nRETR 1\r\nTOP 1 0\r\nDELE 2\r\nRETR 2\r\nRSET\r\nQUIT\r\n';
    const exchanges = [[dialogue], [...dialogue]].map((parts) => {
      const exchange = pop3ByHand(new Map([['one', octetsOf('Subject: hi\r\n\r\nbody')]]));
      return parts.map((part) => exchange(octetsOf(part)).map(textOf).join('')).join('');
    });
    expect(exchanges[1]).toBe(exchanges[0]);
  });
});

function octetsOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(octets: Uint8Array): string {
  return new TextDecoder().decode(octets);
}
