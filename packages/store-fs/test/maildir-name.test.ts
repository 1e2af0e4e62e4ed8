import { describe, expect, it } from 'vitest';
import { parseMaildirName } from '../src/index.js';

describe('parseMaildirName', () => {
  it.each([
    {
      from: 'Dovecot',
      name: '1700000001.M123456P4321.mail.example.org,S=1000,W=1030:2,S',
      unique: '1700000001.M123456P4321.mail.example.org',
      base: '1700000001.M123456P4321.mail.example.org,S=1000,W=1030',
      seconds: 1_700_000_001,
      microseconds: 123_456,
      storedOctets: 1000,
      wireOctets: 1030,
      flags: 'S',
    },
    {
      from: 'Postfix',
      name: '1700000002.V801I2c0a5M654321.mx1',
      unique: '1700000002.V801I2c0a5M654321.mx1',
      seconds: 1_700_000_002,
      microseconds: 654_321,
    },
    {
      from: 'Courier',
      name: '1700000004.M1P2V0000000000000801I000000000002C0A6_0.courier,S=23:2,RS',
      unique: '1700000004.M1P2V0000000000000801I000000000002C0A6_0.courier',
      base: '1700000004.M1P2V0000000000000801I000000000002C0A6_0.courier,S=23',
      seconds: 1_700_000_004,
      microseconds: 1,
      storedOctets: 23,
      flags: 'RS',
    },
    {
      from: 'Exim',
      name: '1700000007.H123456P4321.mail,S=5:2,',
      unique: '1700000007.H123456P4321.mail',
      base: '1700000007.H123456P4321.mail,S=5',
      seconds: 1_700_000_007,
      microseconds: 123_456,
      storedOctets: 5,
    },
    {
      from: 'procmail',
      name: '1700000003.4321_1.host',
      unique: '1700000003.4321_1.host',
      seconds: 1_700_000_003,
    },
    {
      from: 'old qmail',
      name: '1700000005.12345.host',
      unique: '1700000005.12345.host',
      seconds: 1_700_000_005,
    },
    {
      from: 'a host with an M in it',
      name: '1700000005.12345.M12host',
      unique: '1700000005.12345.M12host',
      seconds: 1_700_000_005,
    },
    { from: 'nobody', name: 'letter.eml', unique: 'letter.eml' },
    { from: 'nobody, empty', name: '', unique: '' },
    { from: 'somebody with other flags', name: '17.1.h:1,x', unique: '17.1.h', base: '17.1.h', seconds: 17 },
    {
      from: 'a keyword and a part after the flags',
      name: '17.1.h:2,Sab,extra',
      unique: '17.1.h',
      base: '17.1.h',
      seconds: 17,
      flags: 'Sab,extra',
    },
    {
      from: 'a server with fields of its own',
      name: '17.1.h,U=7,FMD5=abc,W=12,S=11:2,',
      unique: '17.1.h',
      base: '17.1.h,U=7,FMD5=abc,W=12,S=11',
      seconds: 17,
      storedOctets: 11,
      wireOctets: 12,
    },
    { from: 'a liar', name: '17.1.h,S=-5,W=1e3', unique: '17.1.h', base: '17.1.h,S=-5,W=1e3', seconds: 17 },
    {
      from: 'a boaster',
      name: `17.1.h,S=${'9'.repeat(16)}`,
      unique: '17.1.h',
      base: `17.1.h,S=${'9'.repeat(16)}`,
      seconds: 17,
    },
    {
      from: 'the far future',
      name: '99999999999999999.1.h',
      unique: '99999999999999999.1.h',
      seconds: 9_000_000_000,
    },
  ])('reads a name of $from', ({ from: _, name, ...expected }) => {
    expect(parseMaildirName(name)).toEqual({
      base: expected.unique,
      seconds: 0,
      microseconds: 0,
      storedOctets: null,
      wireOctets: null,
      flags: '',
      ...expected,
    });
  });
});
