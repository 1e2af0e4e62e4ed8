import { describe, expect, it } from 'vitest';
import { httpLookup, lookupUsers } from '../src/index.js';
import { contextOf } from './auth-context.js';
import { loopbackServer, sendJson } from './loopback-server.js';

const ANN = {
  name: 'ann',
  maildrop: 'box7',
  passwords: [{ stored: '{PLAIN}hunter2', label: 'phone', expiresAt: 4e12, networks: ['192.0.2.0/24'] }],
  disabled: false,
  networks: ['192.0.2.0/24'],
};

describe('httpLookup', () => {
  it('posts the name and the address, and takes the user of the answer', async () => {
    const seen: unknown[] = [];
    const url = await loopbackServer((request, response, body) => {
      const { authorization } = request.headers;
      seen.push([
        request.method,
        request.url,
        authorization,
        request.headers['content-type'],
        JSON.parse(body),
      ]);
      sendJson(response, { ...ANN, shoe: 43 });
    });
    const lookup = httpLookup({
      url: `${url}/users?key=hunter3`,
      headers: { Authorization: 'Bearer hunter4' },
    });
    expect(await lookup.find('ann', contextOf())).toEqual(ANN);
    expect(seen).toEqual([
      [
        'POST',
        '/users?key=hunter3',
        'Bearer hunter4',
        'application/json',
        { name: 'ann', address: '192.0.2.1' },
      ],
    ]);
    const credentials = {
      type: 'password',
      username: 'ann',
      password: 'hunter2',
      authorizationId: '',
    } as const;
    expect(await lookupUsers(lookup).authenticate(credentials, contextOf())).toEqual({
      type: 'accepted',
      identity: { username: 'ann', maildrop: 'box7' },
    });
  });

  it('takes 404 for nobody', async () => {
    const url = await loopbackServer(
      (_request, response) => void response.writeHead(404).end('{"name":"ann"}'),
    );
    expect(await httpLookup({ url }).find('eve', contextOf())).toBeNull();
  });

  it.each([
    ['is not an object', [ANN]],
    ['is not an object', null],
    ['has no name', { ...ANN, name: '' }],
    ['has no name', { passwords: [] }],
    ['has a maildrop that is no text', { ...ANN, maildrop: 7 }],
    ['has disabled that is neither true nor false', { ...ANN, disabled: 'no' }],
    ['has networks that are not a list of texts', { ...ANN, networks: '10.0.0.0/8' }],
    ['has networks that are not a list of texts', { ...ANN, networks: [null] }],
    ['has passwords that are not a list', { name: 'ann', password: '{PLAIN}hunter2' }],
    ['has a password that is not one', { ...ANN, passwords: ['{PLAIN}hunter2'] }],
    [
      'has a password that is not one',
      { ...ANN, passwords: [{ stored: '{PLAIN}hunter2', expiresAt: '2027-01-31' }] },
    ],
    [
      'has a password that is not one',
      { ...ANN, passwords: [{ stored: '{PLAIN}hunter2', networks: '10.0.0.0/8' }] },
    ],
    ['has a password that is not one', { ...ANN, passwords: [{ stored: '{PLAIN}hunter2', label: 7 }] }],
  ])('names an answer that %s: a fault without what it says', async (message, answer) => {
    const url = await loopbackServer((_request, response) => sendJson(response, answer));
    const failing = Promise.resolve(httpLookup({ url }).find('ann', contextOf()));
    await expect(failing).rejects.toThrow(`${url}/ answered with a user that ${message}.`);
    await expect(failing).rejects.toThrow(/^(?!.*hunter)/);
  });

  it.each([
    [500, /answered with the status 500/],
    [401, /answered with the status 401/],
    [302, /answered with the status 302/],
  ])(
    'takes the status %d for a fault, and shows nothing of the URL that may be secret',
    async (status, message) => {
      const url = await loopbackServer((_request, response) => {
        response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('hunter2');
      });
      const failing = Promise.resolve(httpLookup({ url: `${url}/?key=hunter3` }).find('ann', contextOf()));
      await expect(failing).rejects.toThrow(message);
      await expect(failing).rejects.toThrow(/^(?!.*hunter)/);
    },
  );

  it('does not wait for ever, and reads no answer without end', async () => {
    const silent = await loopbackServer(() => {});
    await expect(httpLookup({ url: silent, timeoutMs: 1 }).find('ann', contextOf())).rejects.toThrow(
      /did not answer within 1 ms/,
    );
    const endless = await loopbackServer((_request, response) => {
      response.end('x'.repeat(300_000));
    });
    await expect(httpLookup({ url: endless }).find('ann', contextOf())).rejects.toThrow(
      /more than 262144 octets/,
    );
  });

  it.each([
    [{ url: 'nowhere' }, /not a URL/],
    [{ url: 'http://192.0.2.1/' }, /has to be https/],
    [{ url: 'https://ann:hunter2@192.0.2.1/' }, /holds a name or password/],
    [{ url: 'https://192.0.2.1/', headers: { authorization: 'hunter2\n' + 'x' } }, /header/],
    [{ url: 'https://192.0.2.1/', headers: { 'not a name': 'hunter2' } }, /header/],
  ])('refuses options that cannot work: %#', (options, message) => {
    expect(() => httpLookup(options)).toThrow(message);
    expect(() => httpLookup(options)).toThrow(/^(?!.*hunter)/);
  });
});
