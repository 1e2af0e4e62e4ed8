import { readFileSync } from 'node:fs';
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { createPop3Server, nodeMechanisms, CHANNELS } from './dist/index.js';
import { scramKeysOf, verifyCramMd5, verifyApop } from '../core/dist/sasl.js';
import { memoryStore } from '../store-memory/dist/index.js';
import { withSdps } from '../sdps/dist/index.js';
import { subscribe } from 'node:diagnostics_channel';
const pw = 'pw';
const names = { 'scram-sha-1': ['sha1', 20], 'scram-sha-256': ['sha256', 32], 'scram-sha-512': ['sha512', 64] };
const cryptoOf = (form) => { const [h, n] = names[form]; return { hash: (o) => createHash(h).update(o).digest(), hmac: (k, o) => createHmac(h, k).update(o).digest(), pbkdf2: (p, s, i) => pbkdf2Sync(p, s, i, n, h) }; };
const ok = (username) => ({ type: 'accepted', identity: { username, maildrop: 'user1' } });
const no = { type: 'refused', reason: 'bad-credentials' };
const authenticator = {
  accepts: ['password', 'apop', 'cram-md5', 'scram-sha-1', 'scram-sha-256', 'scram-sha-512', 'token', 'external'],
  scramKeys: (u, form) => scramKeysOf(cryptoOf(form), pw, randomBytes(16), 4096),
  authenticate(c) {
    console.log('AUTH', c.type, c.username, c.proven ?? '');
    if (c.type === 'password') return c.password === pw ? ok(c.username) : no;
    if (c.type === 'cram-md5') return verifyCramMd5((k, o) => createHmac('md5', k).update(o).digest(), c, pw) ? ok(c.username) : no;
    if (c.type === 'apop') return verifyApop((o) => createHash('md5').update(o).digest(), c, pw) ? ok(c.username) : no;
    if (c.type.startsWith('scram')) return c.proven ? ok(c.username) : no;
    if (c.type === 'token') return c.token === 'good' ? ok(c.username || 'user1') : { ...no, token: { status: 'invalid_token' } };
    if (c.type === 'external') return ok('user1');
    return no;
  },
};
const store = memoryStore();
store.deliver('user1', Buffer.from('Return-Path: <ann@example.org>\nDelivered-To: philh@vision25.example\nSubject: a\nTo: someone-else@example.com\n\nHello\n'));
store.deliver('user1', Buffer.from('Return-Path: <>\nDelivered-To: sales@vision25.example\nTo: list@example.com\nSubject: b\n\nHello\n'));
const server = createPop3Server({ ...withSdps({ store, authenticator }), greeting: process.argv[2] ?? 'ready', tls: { cert: readFileSync('/tmp/gt/cert.pem'), key: readFileSync('/tmp/gt/key.pem') }, mechanisms: nodeMechanisms(['SCRAM-SHA-256-PLUS','SCRAM-SHA-256','SCRAM-SHA-1-PLUS','SCRAM-SHA-1','EXTERNAL','OAUTHBEARER','XOAUTH2','PLAIN','LOGIN','CRAM-MD5']) });
subscribe(CHANNELS.trace, (m) => console.log(JSON.stringify(m.event)));
subscribe(CHANNELS.fault, (m) => console.log('FAULT', m.error));
await server.listen({ host: '127.0.0.1', port: 2111, tls: 'starttls' });
await server.listen({ host: '127.0.0.1', port: 2995, tls: 'implicit' });
console.log('up');
