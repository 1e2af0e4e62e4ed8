import { afterAll, beforeAll, describe, it } from 'vitest';
import { connectPop3, type Pop3Client } from '@pop3/client-node';
import { corpus } from '../src/corpus.js';
import { differences } from '../src/compare.js';
import { COURIER } from '../src/peers/courier.js';
import { MAILUTILS } from '../src/peers/mailutils.js';
import { POPA3D } from '../src/peers/popa3d.js';
import { CYRUS } from '../src/peers/cyrus.js';
import { startPeer, type PeerWorld } from '../src/peers/world.js';
import { topOf } from '../src/wire-form.js';

const short = (b: Uint8Array) => JSON.stringify(Buffer.from(b.subarray(0, 40)).toString('latin1'));
const PASSWORD = 's p"a \\\'ü';
const only = process.env['PEER'];
async function read(b: AsyncIterable<Uint8Array>): Promise<Buffer> { const c: Uint8Array[] = []; for await (const x of b) c.push(x); return Buffer.concat(c); }
describe.each([COURIER, MAILUTILS, POPA3D, CYRUS].filter((p) => !only || p.unpacked === only))('$name', (peer) => {
  let world: PeerWorld;
  const all = corpus().filter((m) => (process.env['DOTS'] || m.stored[0] !== 0x2e) && (peer !== CYRUS || m.stored.length > 0));
  beforeAll(async () => {
    world = await startPeer(peer, [{ user: 'ann', password: PASSWORD, messages: all }, { user: 'bob', password: 'x', messages: all.slice(0, 5) }]);
  });
  afterAll(async () => { console.log(world?.server.log().slice(-3000)); await world?.close(); });
  it('serves', async () => {
    const t = Date.now();
    const open = () => connectPop3({ host: '127.0.0.1', port: world.server.port, tls: 'off', allowPlaintext: true, auth: { user: 'ann', password: PASSWORD, mechanism: 'USER' }, timeouts: { silenceMs: 700, commandMs: 2000 } });
    let client: Pop3Client = await open();
    console.log(client.greeting, await client.capabilities(), await client.stat());
    const list = await client.list();
    const uidl = await client.uniqueIds();
    console.log(list.size, all.length, [...uidl].slice(0, 3), new Set(uidl.values()).size);
    const d: string[] = [];
    for (const [i, m] of all.entries()) {
      const l: string[] = [];
      try {
        const r = await read(client.retrieve(i + 1));
        if (list.get(i + 1) !== r.length) l.push(`listed ${list.get(i + 1)}, sent ${r.length}, wire ${m.octets}, stored ${m.stored.length}`);
        l.push(...differences([{ name: 'RETR', expected: m.wire, actual: r }]));
        for (const n of [0, 3]) l.push(...differences([{ name: `TOP${n}`, expected: topOf(r, n), actual: await read(client.top(i + 1, n)) }]));
      } catch (e) { l.push(String(e).slice(0, 200)); if (!/UNSUPP|REFUSED/.test((e as { code: string }).code)) { await client.close(); client = await open(); } }
      if (l.length) d.push(`${m.name} ${short(m.stored)}: ${l.join(' | ')}`);
    }
    console.log(d.join('\n'));
    console.log(await client.quit(), Date.now() - t);
  });
});
