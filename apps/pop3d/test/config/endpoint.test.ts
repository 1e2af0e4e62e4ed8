import { expect, it } from 'vitest';
import { formatEndpoint, parseEndpoint } from '../../src/config/endpoint.js';

it.each([
  ['127.0.0.1:110', { host: '127.0.0.1', port: 110 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['[::1]:995', { host: '::1', port: 995 }],
  ['[fe80::1%eth0]:995', { host: 'fe80::1%eth0', port: 995 }],
  ['*:65535', { host: '::', port: 65_535 }],
])('reads %s', (text, endpoint) => {
  expect(parseEndpoint(text)).toEqual(endpoint);
});

it.each(['', '110', ':110', 'host', 'host:', 'host:65536', 'host:-1', '::1:110', 'a b:1', '[]:1', 'host:1x'])(
  'refuses %j',
  (text) => {
    expect(parseEndpoint(text)).toBeNull();
  },
);

it('writes brackets around IPv6 addresses', () => {
  expect(formatEndpoint('::1', 110)).toBe('[::1]:110');
  expect(formatEndpoint('127.0.0.1', 110)).toBe('127.0.0.1:110');
});
