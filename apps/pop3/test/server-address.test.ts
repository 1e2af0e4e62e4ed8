import { describe, expect, it } from 'vitest';
import { Failure } from '../src/failure.js';
import { parseServerAddress, type ServerAddress } from '../src/server-address.js';

const OPEN = { port: null, tls: null, user: null, mechanism: null };

it.each<[string, Partial<ServerAddress>]>([
  ['pop.example.org', { host: 'pop.example.org' }],
  ['pop.example.org:1110', { host: 'pop.example.org', port: 1110 }],
  ['192.0.2.7:110', { host: '192.0.2.7', port: 110 }],
  ['[2001:db8::7]', { host: '2001:db8::7' }],
  ['[2001:db8::7]:995', { host: '2001:db8::7', port: 995 }],
  ['2001:db8::7', { host: '2001:db8::7' }],
  ['::1', { host: '::1' }],
  ['pop://pop.example.org', { host: 'pop.example.org', tls: 'starttls' }],
  ['pops://pop.example.org/', { host: 'pop.example.org', tls: 'implicit' }],
  ['POP3S://ann@[::1]:1995', { host: '::1', port: 1995, tls: 'implicit', user: 'ann' }],
  ['pop://ann%40example.org@h', { host: 'h', tls: 'starttls', user: 'ann@example.org' }],
  ['pop://ann;AUTH=+APOP@h:110', { host: 'h', port: 110, tls: 'starttls', user: 'ann', mechanism: 'APOP' }],
  ['pop://ann;auth=*@h', { host: 'h', tls: 'starttls', user: 'ann' }],
  ['pop://;auth=scram-sha-256@h', { host: 'h', tls: 'starttls', mechanism: 'SCRAM-SHA-256' }],
  ['pop://j%C3%B6rg@h', { host: 'h', tls: 'starttls', user: 'j\u00f6rg' }],
])('reads %s', (text, expected) => {
  expect(parseServerAddress(text)).toEqual({ ...OPEN, ...expected });
});

describe('refuses', () => {
  it.each([
    ['', /HOST is empty/],
    [':110', /HOST is empty/],
    ['h:', /port "" is not 1 to 65535/],
    ['h:0', /port "0"/],
    ['h:65536', /port "65536"/],
    ['h:x', /HOST is not understood/],
    ['[::1', /HOST is not understood/],
    ['[nowhere]', /no IPv6 address/],
    ['http://h', /the URL is not understood/],
    ['pop://h/1', /a POP URL has no path/],
    ['pop://ann;auth=+ODD@h', /AUTH=\+ODD is no mechanism/],
    ['pop://ann;x=y@h', /USER or USER;AUTH=MECHANISM/],
    ['pop://ann%4@h', /% without two hexadecimal digits/],
    ['ann@h', /a user stands in --user or in a URL/],
  ])('%j', (text, message) => {
    expect(() => parseServerAddress(text)).toThrow(message);
  });

  it.each(['pop://ann:hunter2@h', 'pops://ann;auth=PLAIN:hunter2@h', 'pop://:hunter2@h', 'ann:hunter2@h'])(
    'a password in %s, and does not repeat it',
    (text) => {
      expect(() => parseServerAddress(text)).toThrow(Failure);
      expect(() => parseServerAddress(text)).not.toThrow(/hunter2/);
    },
  );
});
