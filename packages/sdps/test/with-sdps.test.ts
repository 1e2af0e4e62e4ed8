import { createHash } from 'node:crypto';
import { staticUsers } from '@pop3/auth-node';
import type { Authenticator, AuthOutcome, Credentials, Maildrop, MessageStore } from '@pop3/core';
import { apopDigest } from '@pop3/core/sasl';
import { memoryStore } from '@pop3/store-memory';
import { describe, expect, it } from 'vitest';
import { withSdps } from '../src/index.js';
import { dialogue } from './dialogue.js';

const authenticator = staticUsers({ vision25: 'secret', other: 'secret', 'ann@example.org': 'secret' });
const login = (name: string) => [`USER ${name}`, 'PASS secret'];

function mail(...messages: string[]) {
  const store = memoryStore();
  for (const message of messages) store.deliver('vision25', Buffer.from(message));
  return store;
}

const forPhil = 'Return-Path: <a@b.example>\nDelivered-To: philh@vision25.example\nSubject: one\n\nHello\n';
const forAnn = 'Return-Path: <>\nDelivered-To: Ann@vision25.example\nSubject: two\n\nBounce\n';
const forNobody = 'Subject: three\n\nHello\n';

describe('a login name', () => {
  it.each([
    ['vision25', '3 '],
    ['philh@vision25', '1 '],
    ['PhilH@vision25', '1 '],
    ['vision25+philh', '1 '],
    ['ann@vision25', '1 '],
    ['nobody@vision25', '0 0'],
  ])('%s opens so many messages: %s', async (name, count) => {
    const store = mail(forPhil, forAnn, forNobody);
    const said = await dialogue({ store, authenticator }, [...login(name), 'STAT', 'QUIT']);
    expect(said.split('\r\n')[3]).toMatch(new RegExp(`^\\+OK ${count}`));
  });

  it('takes the password of the host, and no other', async () => {
    const store = mail(forPhil);
    expect(await dialogue({ store, authenticator }, ['USER philh@vision25', 'PASS wrong'])).toMatch(
      /-ERR \[AUTH\]/,
    );
    expect(await dialogue({ store, authenticator }, login('philh@nowhere'))).toMatch(/-ERR \[AUTH\]/);
  });

  it('may be an account of its own', async () => {
    const store = mail(forPhil);
    store.deliver('ann@example.org', Buffer.from(forNobody));
    const options = { isAccount: (name: string) => name === 'ann@example.org' };
    const said = await dialogue(
      { store, authenticator },
      [...login('ann@example.org'), 'STAT', 'QUIT'],
      options,
    );
    expect(said).toMatch(/^\+OK 1 25\r$/m);
  });

  it('is read for APOP', async () => {
    const md5 = (octets: Uint8Array) => createHash('md5').update(octets).digest();
    const digest = apopDigest(md5, '<1.1@host>', 'secret');
    const said = await dialogue({ store: mail(forPhil, forAnn), authenticator }, [
      `APOP philh@vision25 ${digest}`,
      'STAT',
      'QUIT',
    ]);
    expect(said.split('\r\n')[2]).toMatch(/^\+OK 1 /);
  });

  it('asks for the keys and the rights of the host', async () => {
    const asked: unknown[] = [];
    const inner: Authenticator = {
      accepts: ['scram-sha-256'],
      authenticate(credentials): AuthOutcome {
        asked.push(credentials);
        return { type: 'accepted', identity: { maildrop: 'vision25', username: 'vision25' } };
      },
      scramKeys(username) {
        asked.push(username);
        return { type: 'refused', reason: 'temporary' };
      },
    };
    const { authenticator } = withSdps({ store: memoryStore(), authenticator: inner });
    const context = {
      signal: new AbortController().signal,
      peer: { address: null, tls: false, certificate: null },
    };
    await authenticator.scramKeys?.('philh@vision25', 'scram-sha-256', context);
    const credentials: Credentials = {
      type: 'scram-sha-256',
      username: 'philh@vision25',
      authorizationId: 'philh@vision25',
      proven: true,
    };
    expect(await authenticator.authenticate(credentials, context)).toEqual({
      type: 'accepted',
      identity: { maildrop: 'vision25', username: 'philh@vision25', sdpsUser: 'philh' },
    });
    await authenticator.authenticate({ ...credentials, authorizationId: 'eve' }, context);
    expect(asked).toEqual([
      'vision25',
      { ...credentials, username: 'vision25', authorizationId: 'vision25' },
      { ...credentials, username: 'vision25', authorizationId: 'eve' },
    ]);
  });

  it('leaves the name that goes with a token alone', async () => {
    const asked: Credentials[] = [];
    const inner: Authenticator = {
      accepts: ['token'],
      authenticate(credentials): AuthOutcome {
        asked.push(credentials);
        return { type: 'accepted', identity: { maildrop: 'ann@example.org', username: 'ann@example.org' } };
      },
    };
    const { authenticator } = withSdps({ store: memoryStore(), authenticator: inner });
    const credentials: Credentials = { type: 'token', username: 'ann@example.org', token: 'x' };
    const context = {
      signal: new AbortController().signal,
      peer: { address: null, tls: true, certificate: null },
    };
    expect(await authenticator.authenticate(credentials, context)).toMatchObject({
      identity: { maildrop: 'ann@example.org' },
    });
    expect(asked).toEqual([credentials]);
  });

  it('keeps a name that no credentials hold', async () => {
    const inner: Authenticator = {
      accepts: ['anonymous'],
      authenticate: () => ({ type: 'accepted', identity: { maildrop: 'vision25', username: 'a@b' } }),
    };
    const { authenticator, store } = withSdps({ store: mail(forPhil, forAnn), authenticator: inner });
    const context = {
      signal: new AbortController().signal,
      peer: { address: null, tls: true, certificate: null },
    };
    const outcome = await authenticator.authenticate({ type: 'anonymous', trace: 'x@y' }, context);
    if (outcome.type === 'refused') throw new Error('refused');
    const opened = await store.open(outcome.identity, context);
    expect((opened as Maildrop).listing.count).toBe(2);
  });
});

describe('a part of a maildrop', () => {
  it('has numbers of its own, and removes its own messages only', async () => {
    const store = mail(forAnn, forPhil, forAnn, forPhil);
    const said = await dialogue({ store, authenticator }, [
      ...login('philh@vision25'),
      'UIDL',
      'DELE 2',
      'RETR 1',
      '*ENV 1',
      'QUIT',
    ]);
    expect(said).toContain('1 2\r\n2 4\r\n.\r\n');
    expect(said).toContain('Subject: one\r\n\r\nHello\r\n.\r\n');
    expect(await dialogue({ store, authenticator }, [...login('vision25'), 'UIDL', 'QUIT'])).toContain(
      '1 1\r\n2 2\r\n3 3\r\n.\r\n',
    );
  });

  it('is locked with the whole, and released with its session', async () => {
    const store = mail(forPhil);
    const { signal } = new AbortController();
    const whole = await store.open({ maildrop: 'vision25', username: 'x' }, { signal });
    expect(await dialogue({ store, authenticator }, login('philh@vision25'))).toMatch(/-ERR \[IN-USE\]/);
    await (whole as Maildrop).release();
    expect(await dialogue({ store, authenticator }, login('philh@vision25'))).toMatch(/\+OK 1 messages/);
    expect(await dialogue({ store, authenticator }, login('vision25'))).toMatch(/\+OK 1 messages/);
  });

  it('gives the lock back when a header cannot be read', async () => {
    let released = 0;
    const broken: MessageStore = {
      async open(identity, context) {
        const opened = (await mail(forPhil).open(identity, context)) as Maildrop;
        return {
          ...opened,
          retrieve() {
            throw new Error('the disk says no');
          },
          release() {
            released++;
          },
        };
      },
    };
    const said = await dialogue({ store: broken, authenticator }, login('philh@vision25'));
    expect(said).toMatch(/fault open-maildrop: the disk says no/);
    expect(said).toMatch(/-ERR \[SYS\/TEMP\]/);
    expect(released).toBe(1);
  });

  it('reads each header once, and the body never', async () => {
    const inner = mail(forPhil, forAnn);
    const read: number[] = [];
    const counting: MessageStore = {
      async open(identity, context) {
        const opened = (await inner.open(identity, context)) as Maildrop;
        return {
          ...opened,
          async *retrieve(messageNumber: number) {
            read.push(messageNumber);
            yield Buffer.from(messageNumber === 1 ? forPhil.slice(0, 60) : forAnn);
            yield Buffer.from(messageNumber === 1 ? forPhil.slice(60) : '');
            throw new Error('read on into the body');
          },
        };
      },
    };
    const adapters = withSdps({ store: counting, authenticator });
    const context = {
      signal: new AbortController().signal,
      peer: { address: null, tls: true, certificate: null },
    };
    for (let poll = 0; poll < 2; poll++) {
      const opened = await adapters.store.open(
        { maildrop: 'vision25', username: 'x', sdpsUser: 'ann' } as never,
        context,
      );
      expect((opened as Maildrop).listing.count).toBe(1);
      await (opened as Maildrop).release();
    }
    expect(read).toEqual([1, 2]);
  });
});

describe('*ENV', () => {
  it('has the sender on line 4 and the recipient on line 5', async () => {
    const said = await dialogue({ store: mail(forPhil, forAnn), authenticator }, [
      ...login('vision25'),
      '*ENV 1',
      '*env 2 ',
      'QUIT',
    ]);
    const lines = said.split('\r\n').slice(3);
    expect(lines.slice(0, 6)).toEqual([
      '+OK envelope follows',
      '1',
      String(Buffer.byteLength(forPhil) + 5),
      'a@b.example',
      'philh@vision25.example',
      '.',
    ]);
    expect(lines.slice(9, 12)).toEqual(['', 'Ann@vision25.example', '.']);
  });

  it.each([
    ['*ENV', '-ERR one message number is needed'],
    ['*ENV x', '-ERR one message number is needed'],
    ['*ENV 1 2', '-ERR one message number is needed'],
    ['*ENV -1', '-ERR one message number is needed'],
    ['*ENV 0', '-ERR no such message, there are 1'],
    ['*ENV 2', '-ERR no such message, there are 1'],
    ['*ENV 99999999999999999999', '-ERR no such message, there are 1'],
  ])('%s is answered %s', async (line, answer) => {
    const said = await dialogue({ store: mail(forPhil), authenticator }, [
      ...login('vision25'),
      line,
      'QUIT',
    ]);
    expect(said.split('\r\n')[3]).toBe(answer);
  });

  it('treats a marked message as one that is not there, and one that has gone as a matter of time', async () => {
    const store = mail(forPhil);
    const said = await dialogue({ store, authenticator }, [
      ...login('vision25'),
      'DELE 1',
      '*ENV 1',
      'RSET',
      'QUIT',
    ]);
    expect(said.split('\r\n')[4]).toBe('-ERR message is marked');
    const vanishing: MessageStore = {
      open: async (identity, context) => ({
        ...((await store.open(identity, context)) as Maildrop),
        retrieve: () => 'gone',
      }),
    };
    const gone = await dialogue({ store: vanishing, authenticator }, [
      ...login('vision25'),
      '*ENV 1',
      'QUIT',
    ]);
    expect(gone.split('\r\n')[3]).toMatch(/^-ERR \[SYS\/TEMP\] /);
  });

  it('is announced after login only, and asked of the store where it knows', async () => {
    const knowing: MessageStore = {
      open: async (identity, context) => ({
        ...((await mail(forPhil).open(identity, context)) as Maildrop),
        envelope: () => ({ sender: 'x@y.example', recipient: 'zoe@vision25.example' }),
      }),
    };
    const said = await dialogue({ store: knowing, authenticator }, [
      'CAPA',
      ...login('zoe@vision25'),
      'CAPA',
      '*ENV 1',
      'QUIT',
    ]);
    expect(said.match(/^X-SDPS\r$/gm)).toHaveLength(1);
    expect(said).toContain('x@y.example\r\nzoe@vision25.example\r\n.\r\n');
  });

  it('is not there before login', async () => {
    expect(await dialogue({ store: mail(), authenticator }, ['*ENV 1'])).toMatch(
      /-ERR \*ENV is not valid in this state/,
    );
  });
});
