import { appendFileSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCourierSizeList, parseDovecotUidlist } from '../src/foreign-ids.js';
import { commit, ids, inspect, open, sizes, TestMaildir } from './maildirs.js';

/** The messages that were in the Maildirs from which the files in `fixtures` come, in the order of their numbers. */
const MESSAGES = [
  'cur/1700000001.M123456P4321.mail.example.org,S=26,W=28:2,S',
  'cur/1700000002.V801I2c0a5M654321.mx1:2,',
  'cur/1700000003.4321_1.host:2,FRS',
  'new/1700000004.M1P2V0000000000000801I000000000002C0A6_0.courier,S=23',
  'new/1700000005.12345.qmail',
  `cur/1700000006.odd'+"name.host:2,S`,
];

/** What follows from those names. */
const DEFAULTS = [
  '1700000001.M123456P4321.mail.example.org',
  '1700000002.V801I2c0a5M654321.mx1',
  '1700000003.4321_1.host',
  '1700000004.M1P2V0000000000000801I000000000002C0A6_0.courier',
  '1700000005.12345.qmail',
  `1700000006.odd'+"name.host`,
];

function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'latin1');
}

function maildirOfFixtures(): TestMaildir {
  const maildir = new TestMaildir();
  for (const file of MESSAGES) maildir.put(file);
  return maildir;
}

describe('unique-ids by default', () => {
  it('are the names up to the comma and the flags', async () => {
    expect(ids(await open(maildirOfFixtures().store()))).toEqual(DEFAULTS);
  });

  it('stay when flags change and a message moves to cur', async () => {
    const maildir = maildirOfFixtures();
    const store = maildir.store();
    await inspect(store, ids);
    maildir.rename(MESSAGES[0] as string, `${MESSAGES[0]}T`);
    maildir.rename('new/1700000005.12345.qmail', 'cur/1700000005.12345.qmail:2,RS');
    expect(await inspect(store, ids)).toEqual(DEFAULTS);
    expect(await inspect(maildir.store(), ids)).toEqual(DEFAULTS);
  });

  it.each([
    ['long', `1700000001.${'x'.repeat(60)}`],
    ['with a space', '1700000001.a b'],
    ['not ASCII', '1700000001.m\xfcller'],
    ['with a control character', '1700000001.\x01\n'],
  ])('are hashes of names that are %s', async (_, name) => {
    const maildir = new TestMaildir();
    maildir.put(`new/${name},S=19`);
    const [id] = await inspect(maildir.store(), ids);
    expect(id).toMatch(/^[\w-]{43}$/);
    maildir.rename(`new/${name},S=19`, `cur/${name},S=19:2,S`);
    expect(await inspect(maildir.store(), ids)).toEqual([id]);
  });

  it('are 70 octets long at most', async () => {
    const maildir = new TestMaildir();
    const fits = `1700000001.${'x'.repeat(59)}`;
    maildir.put(`new/${fits}`);
    expect(await inspect(maildir.store(), ids)).toEqual([fits]);
  });
});

describe('messages that share the unique part of their names', () => {
  it('have different ids, which stay when one of them goes', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h,S=19:2,');
    maildir.put('cur/17.1.h,S=20:2,S', 'Subject: xy\n\nHello.\n');
    const [first, second] = (await inspect(maildir.store(), ids)) as [string, string];
    expect(first).toBe('17.1.h');
    expect(second).toMatch(/^[\w-]{43}$/);
    rmSync(join(maildir.path, 'pop3-sizes'));
    const session = await open(maildir.store());
    await commit(session, 1);
    await session.release();
    expect(await inspect(maildir.store(), ids)).toEqual([second]);
  });

  it('are found wherever their names are in the order', async () => {
    const maildir = new TestMaildir();
    for (const name of ['17.1.h', '17.1.h+x', '17.1.h,S=19', '17.1.h!']) maildir.put(`cur/${name}:2,`);
    const found = await inspect(maildir.store(), ids);
    expect(found.filter((id) => id.startsWith('17.1.h')).sort()).toEqual(['17.1.h', '17.1.h!', '17.1.h+x']);
    expect(new Set(found).size).toBe(4);
  });

  it('leave the one that was there before its id', async () => {
    const maildir = new TestMaildir();
    const store = maildir.store();
    maildir.put('cur/17.1.h,S=20:2,S', 'Subject: xy\n\nHello.\n');
    expect(await inspect(store, ids)).toEqual(['17.1.h']);
    maildir.put('new/17.1.h,S=19');
    const [added, old] = (await inspect(store, ids)) as [string, string];
    expect(old).toBe('17.1.h');
    expect(await inspect(maildir.store(), ids)).toEqual([added, old]);
    maildir.rename('cur/17.1.h,S=20:2,S', 'cur/17.1.h,S=20:2,ST');
    expect(await inspect(store, ids)).toEqual([added, old]);
  });

  it('leave the older one its id when nothing else tells', async () => {
    const maildir = new TestMaildir();
    const old = maildir.put('cur/17.1.h,S=20:2,S', 'Subject: xy\n\nHello.\n');
    utimesSync(old, 1_700_000_000, 1_700_000_000);
    maildir.put('new/17.1.h,S=19');
    expect((await inspect(maildir.store(), ids))[1]).toBe('17.1.h');
  });

  it('give no id of one that is gone to one that comes', async () => {
    const maildir = new TestMaildir();
    const store = maildir.store();
    const first = maildir.put('cur/17.1.h,S=19:2,S');
    maildir.put('cur/17.1.h,S=20:2,S', 'Subject: xy\n\nHello.\n');
    const before = await inspect(store, ids);
    rmSync(first);
    maildir.put('new/17.1.h,S=21', 'Subject: xyz\n\nHello.\n');
    const after = await inspect(store, ids);
    expect(after[0]).toBe(before[1]);
    expect(before).not.toContain(after[1]);
  });

  it('do so also for another process that has only the size file to know it from', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h,S=20:2,S', 'Subject: xy\n\nHello.\n');
    await inspect(maildir.store(), ids);
    maildir.put('new/17.1.h,S=19');
    expect((await inspect(maildir.store(), ids))[1]).toBe('17.1.h');
  });
});

describe('after Dovecot', () => {
  // What Dovecot 2.3.19 answered to UIDL when it wrote the fixtures.
  const GIVEN = [
    '000000016b03e39c',
    '000000026b03e39c',
    '000000036b03e39c',
    '000000046b03e39c',
    '000000056b03e39c',
    '000000066b03e39c',
  ];

  it('its ids go on', async () => {
    const maildir = maildirOfFixtures();
    maildir.put('dovecot-uidlist', fixture('dovecot-uidlist-3'));
    expect(await inspect(maildir.store(), ids)).toEqual(GIVEN);
    expect(maildir.events).toEqual([
      { type: 'unique-ids-imported', maildir: maildir.path, server: 'dovecot', count: 6 },
    ]);
  });

  it('its ids go on without its files, and for another process', async () => {
    const maildir = maildirOfFixtures();
    maildir.put('dovecot-uidlist', fixture('dovecot-uidlist-3'));
    const store = maildir.store();
    await inspect(store, ids);
    rmSync(join(maildir.path, 'dovecot-uidlist'));
    rmSync(join(maildir.path, 'pop3-sizes'));
    expect(await inspect(store, ids)).toEqual(GIVEN);
    expect(await inspect(maildir.store(), ids)).toEqual(GIVEN);
  });

  it('messages that arrive later have ids of ours, also when Dovecot still runs beside', async () => {
    const maildir = maildirOfFixtures();
    maildir.put('dovecot-uidlist', fixture('dovecot-uidlist-3'));
    const store = maildir.store();
    await inspect(store, ids);
    maildir.put('new/1700000007.M1P1.mx');
    expect(await inspect(store, ids)).toEqual([...GIVEN, '1700000007.M1P1.mx']);
    appendFileSync(join(maildir.path, 'dovecot-uidlist'), '7 :1700000007.M1P1.mx\n');
    maildir.put('new/1700000008.M1P1.mx');
    const later = [...GIVEN, '1700000007.M1P1.mx', '1700000008.M1P1.mx'];
    expect(await inspect(store, ids)).toEqual(later);
    expect(await inspect(maildir.store(), ids)).toEqual(later);
  });

  it('ids that it had taken over from another server win, once each', async () => {
    const maildir = maildirOfFixtures();
    maildir.put('dovecot-uidlist', fixture('dovecot-uidlist-3-kept-ids'));
    const found = await inspect(maildir.store(), ids);
    // Dovecot gave the second and the third message the same id, and clients take them for one.
    expect(found).toEqual([
      'UID7-1234567890',
      '1700000002.V801I2c0a5M654321.mx1',
      '1700000003.4321_1.host',
      '000000046b03e39c',
      '000000076b03e39c',
      '000000096b03e39c',
    ]);
  });

  it('a message whose default id it gave to another has an id of its own', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,');
    maildir.put('cur/18.1.h:2,');
    maildir.put('dovecot-uidlist', '3 V1 N3\n1 P18.1.h :17.1.h\n');
    const [first, second] = await inspect(maildir.store(), ids);
    expect(first).toBe('18.1.h');
    expect(second).toMatch(/^[\w-]{43}$/);
    expect(await inspect(maildir.store(), ids)).toEqual([first, second]);
  });

  it('another format of its ids can be given', async () => {
    const maildir = maildirOfFixtures();
    maildir.put('dovecot-uidlist', fixture('dovecot-uidlist-3'));
    const store = maildir.store({
      dovecotUniqueId: ({ uid, uidValidity, base }) => `${uidValidity}.${uid}.${base.length}`,
    });
    expect((await inspect(store, ids))[2]).toBe('1795416988.3.22');
  });

  it('which begins beside us changes no ids', async () => {
    const maildir = maildirOfFixtures();
    const store = maildir.store();
    expect(await inspect(store, ids)).toEqual(DEFAULTS);
    maildir.put('dovecot-uidlist', fixture('dovecot-uidlist-3'));
    maildir.put('new/1700000007.M1P1.mx');
    expect(await inspect(store, ids)).toEqual([...DEFAULTS, '1700000007.M1P1.mx']);
    expect(await inspect(maildir.store(), ids)).toEqual([...DEFAULTS, '1700000007.M1P1.mx']);
  });

  it('mail that is moved to an empty Maildir which was open before keeps its ids', async () => {
    const maildir = new TestMaildir();
    const store = maildir.store();
    expect(await inspect(store, ids)).toEqual([]);
    for (const file of MESSAGES) maildir.put(file);
    maildir.put('dovecot-uidlist', fixture('dovecot-uidlist-3'));
    expect(await inspect(store, ids)).toEqual(GIVEN);
  });
});

describe('after Courier', () => {
  it('its ids go on', async () => {
    const maildir = maildirOfFixtures();
    maildir.put('courierpop3dsizelist', fixture('courierpop3dsizelist-3'));
    expect(await inspect(maildir.store(), ids)).toEqual(
      [1, 2, 3, 4, 5, 6].map((uid) => `UID${uid}-1795417059`),
    );
    expect(maildir.events).toMatchObject([{ server: 'courier', count: 6 }]);
  });

  it('ids of its older versions go on', async () => {
    const maildir = maildirOfFixtures();
    maildir.put('courierpop3dsizelist', fixture('courierpop3dsizelist-3-kept-ids'));
    expect(await inspect(maildir.store(), ids)).toEqual([
      'UID4-1111111111',
      'UID5',
      '1700000003.4321_1.host',
      'UID9-1234567890',
      'UID10-1234567890',
      'UID11-1234567890',
    ]);
  });

  it('names that it had to spell in another way go on', async () => {
    const maildir = maildirOfFixtures();
    maildir.put('courierpop3dsizelist', fixture('courierpop3dsizelist-3-names'));
    expect((await inspect(maildir.store(), ids))[5]).toBe('1700000006.odd+27+2B+22name.host');
  });

  it('its sizes are not believed: it counts messages with CRLF wrong', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/1700000005.12345.qmail:2,', 'Subject: q\r\n\r\nbody\r\n');
    maildir.put('courierpop3dsizelist', fixture('courierpop3dsizelist-3'));
    expect(await inspect(maildir.store(), sizes)).toEqual([20]);
  });

  it.each([
    ['dovecot', 1, '00000001000004d2'],
    ['courier', -1, 'UID7-5'],
  ])('the server that wrote last counts: %s', async (_, seconds, id) => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,');
    const courier = maildir.put('courierpop3dsizelist', '/3 8 5\n17.1.h:2, 20 7:5:0\n');
    const dovecot = maildir.put('dovecot-uidlist', '3 V1234 N2 Gx\n1 :17.1.h\n');
    utimesSync(courier, 1_700_000_000, 1_700_000_000);
    utimesSync(dovecot, 1_700_000_000 + seconds, 1_700_000_000 + seconds);
    expect(await inspect(maildir.store(), ids)).toEqual([id]);
  });
});

describe('the file pop3-uidl', () => {
  it('can be written by somebody else', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h,S=19:2,S');
    maildir.put('cur/18.a b%.h:2,S');
    maildir.put('pop3-uidl', 'pop3-uidl 1\nmy-own-id 17.1.h,S=19\nanother 18.a%20b%25.h\n');
    expect(await inspect(maildir.store(), ids)).toEqual(['my-own-id', 'another']);
  });

  it('is read again when it was replaced', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,S');
    const store = maildir.store();
    expect(await inspect(store, ids)).toEqual(['17.1.h']);
    writeFileSync(join(maildir.path, 'pop3-uidl'), 'pop3-uidl 1\nmy-own-id 17.1.h\n');
    maildir.put('new/18.1.h');
    expect(await inspect(store, ids)).toEqual(['my-own-id', '18.1.h']);
  });

  it('says nothing when it is empty', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,S');
    maildir.put('pop3-uidl', '');
    maildir.put('dovecot-uidlist', '3 V1234 N2 Gx\n1 :17.1.h\n');
    expect(await inspect(maildir.store(), ids)).toEqual(['17.1.h']);
  });

  it.each([
    ['with another first line', 'pop3-uidl 2\n', 'line 1'],
    ['with half a line', 'pop3-uidl 1\nabc 17.1.h\nabc', 'line 3'],
    ['with an id that cannot go out', 'pop3-uidl 1\na\x80c 17.1.h\n', 'line 2'],
    ['with a line without a name', 'pop3-uidl 1\nabc \n', 'line 2'],
  ])('%s keeps everybody out rather than giving other ids', async (_, content, line) => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,S');
    maildir.put('pop3-uidl', content);
    await expect(open(maildir.store())).rejects.toThrow(line);
  });

  it('is not followed when it is a link', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,S');
    symlinkSync(maildir.put('elsewhere', 'pop3-uidl 1\n'), join(maildir.path, 'pop3-uidl'));
    await expect(open(maildir.store())).rejects.toThrow('ELOOP');
  });
});

describe('a dovecot-uidlist', () => {
  it('of version 1 is read', () => {
    const text = '1 1234567890 9\n1 17.1.h,S=26:2,S\n10 18.1 with spaces\n11\nx y\n';
    expect([...parseDovecotUidlist(text)]).toEqual([
      ['17.1.h,S=26', '00000001499602d2'],
      ['18.1 with spaces', '0000000a499602d2'],
    ]);
  });

  it('has fields in any order', () => {
    const text = '3 N9 Gabc V1234567890\n4294967295 W26 Px O3 :17.1.h:2,\n5 :P18.1.h\n6 W1 Gx:19.1.h\n';
    expect([...parseDovecotUidlist(text)]).toEqual([
      ['17.1.h', 'x'],
      ['P18.1.h', '00000005499602d2'],
    ]);
  });

  it.each(['', '\n', '4 V1 N2\n1 :x\n', '3 N2\n1 :x\n', '3 V1 N2\n1 :x'])('%j says nothing', (text) => {
    expect([...parseDovecotUidlist(text)]).toEqual([]);
  });
});

describe('a courierpop3dsizelist', () => {
  it.each([
    ['0', '17.1.h:2,S 26\n', '17.1.h'],
    ['0, with a name that is spelled', "17.'1 x.h:2,S 26\n", '17.+271+20x.h'],
    ['1', '/1 9\n17.1.h:2,S 26 4\n', 'UID4'],
    ['2', '/2 9 5\n17.1.h:2,S 26 4:5\n', 'UID4-5'],
    ['3', '/3 9 5\n17.1.h:2,S 26 4:5:1\n', 'UID4-5'],
  ])('of version %s is read', (_, text, id) => {
    expect([...parseCourierSizeList(text)].map(([, found]) => found)).toEqual([id]);
  });

  it.each(['', '\n', '/4 9 5\n17.1.h 26 4:5:1\n', '/3 9 5\n17.1.h 26 4:5:1', '/3 9 5\n17.1.h\n'])(
    '%j says nothing',
    (text) => {
      expect([...parseCourierSizeList(text)]).toEqual([]);
    },
  );
});
