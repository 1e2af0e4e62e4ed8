// CPU of the wire codecs, JavaScript and WebAssembly in the same run: node bench/wire.mjs
// Only the ratios mean something on a shared machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const MB = 1e6;
const ROUNDS = 30;
const FILES = ['wire-encoder', 'wire-decoder', 'wire-kernel', 'octet-counter', 'top-cutter', 'next-octet'];

const { javaScript, webAssembly } = await bothForms();
if (webAssembly.wireKernel() === null)
  throw new Error('No WebAssembly SIMD here: there is nothing to compare.');

const LF_MAIL = repeated(`${`${'x'.repeat(77)}\n`.repeat(39)}.${'x'.repeat(76)}\n`);
const CRLF_MAIL = repeated(`${`${'x'.repeat(76)}\r\n`.repeat(39)}.${'x'.repeat(75)}\r\n`);
const LF_ONLY = repeated('\n');
const DOT_LINES = repeated('.\n');
const MAILS = { 'LF mail': LF_MAIL, 'CRLF mail': CRLF_MAIL, 'only LF': LF_ONLY, 'only dot lines': DOT_LINES };

for (const chunkOctets of [16_384, 65_536]) {
  heading(`encode, chunks of ${chunkOctets}, target of 65536: ms/MB`);
  for (const [name, mail] of Object.entries(MAILS)) both(name, (form) => encode(form, mail, chunkOctets));
}

heading('encode LF mail in small chunks: ms/MB (the kernel itself, without the lower bound of the encoder)');
for (const chunkOctets of [16, 32, 64, 128, 256, 1024]) {
  const js = msPerMb(() => encode(javaScript, LF_MAIL, chunkOctets));
  const wasm = msPerMb(() => encodeByKernel(LF_MAIL, chunkOctets));
  row(`chunks of ${chunkOctets}`, js, wasm);
}

heading('count, chunks of 65536: ms/MB');
for (const [name, mail] of Object.entries(MAILS)) both(name, (form) => count(form, mail, 65_536));
heading('count LF mail in small chunks: ms/MB (the kernel itself)');
for (const chunkOctets of [16, 32, 64, 128, 256, 1024]) {
  const js = msPerMb(() => count(javaScript, LF_MAIL, chunkOctets));
  const wasm = msPerMb(() => countByKernel(LF_MAIL, chunkOctets));
  row(`chunks of ${chunkOctets}`, js, wasm);
}

heading('next LF: ms/MB (loop, indexOf, nextOctet)');
for (const lineOctets of [1, 8, 16, 24, 32, 78, 1000]) {
  const lines = repeated(`${'x'.repeat(lineOctets - 1)}\n`);
  const forms = [
    loop,
    (octets, from) => octets.indexOf(10, from),
    (octets, from) => webAssembly.nextOctet(octets, 10, from),
  ];
  const figures = forms.map((next) => msPerMb(() => lineFeeds(next, lines)).toFixed(3));
  console.log(`  ${`lines of ${lineOctets}`.padEnd(22)} ${figures.join('  ')}`);
}

heading('decode, chunks of 65536: ms/MB');
for (const [name, wire] of [
  ['CRLF mail', CRLF_MAIL],
  ['dot every 13 lines', repeated(`${`${'x'.repeat(76)}\r\n`.repeat(12)}..\r\n`)],
  ['only stuffed dots', repeated('..\r\n')],
  ['only CRLF', repeated('\r\n')],
]) {
  const figure = msPerMb(() => decode(wire));
  console.log(`  ${name.padEnd(22)} ${figure.toFixed(3)}`);
}

heading('cut TOP beyond the end, chunks of 65536: ms/MB');
for (const [name, mail] of Object.entries(MAILS)) {
  const message = Buffer.concat([Buffer.from('Subject: hi\n\n'), mail]);
  const figure = msPerMb(() => cut(message));
  console.log(`  ${name.padEnd(22)} ${figure.toFixed(3)}`);
}

function encode({ WireEncoder, wireKernel }, mail, chunkOctets) {
  const encoder = new WireEncoder(wireKernel());
  const target = new Uint8Array(65_536);
  for (const chunk of chunks(mail, chunkOctets)) {
    for (let from = 0; from < chunk.length; from += encoder.consumed) encoder.encode(chunk, from, target, 0);
  }
}

function encodeByKernel(mail, chunkOctets) {
  const kernel = webAssembly.wireKernel();
  const target = new Uint8Array(65_536);
  let last = 10;
  for (const chunk of chunks(mail, chunkOctets)) {
    for (let from = 0; from < chunk.length; from += kernel.consumed) {
      kernel.encode(last, chunk, from, target, 0);
    }
    last = chunk[chunk.length - 1];
  }
}

function count({ OctetCounter }, mail, chunkOctets) {
  const counter = new OctetCounter();
  for (const chunk of chunks(mail, chunkOctets)) counter.add(chunk);
  return counter.octets;
}

function countByKernel(mail, chunkOctets) {
  const kernel = webAssembly.wireKernel();
  let bare = 0;
  let last = 10;
  for (const chunk of chunks(mail, chunkOctets)) {
    bare += kernel.bareLineFeeds(last, chunk);
    last = chunk[chunk.length - 1];
  }
  return bare;
}

function decode(wire) {
  const decoder = new webAssembly.WireDecoder();
  // The decoder works in the memory of what it is given.
  for (const chunk of chunks(wire, 65_536)) decoder.decode(new Uint8Array(chunk));
}

function cut(mail) {
  const cutter = new webAssembly.TopCutter(99_999_999);
  for (const chunk of chunks(mail, 65_536)) cutter.cut(chunk);
}

function loop(octets, from) {
  for (let at = from; at < octets.length; at++) if (octets[at] === 10) return at;
  return -1;
}

function lineFeeds(next, octets) {
  let lines = 0;
  for (let at = next(octets, 0); at !== -1; at = next(octets, at + 1)) lines++;
  return lines;
}

// Buffers, as files and sockets give them; cut before the clock runs.
function chunks(octets, chunkOctets) {
  octets.cut ??= new Map();
  let list = octets.cut.get(chunkOctets);
  if (list === undefined) {
    list = [];
    for (let at = 0; at < octets.length; at += chunkOctets) list.push(octets.subarray(at, at + chunkOctets));
    octets.cut.set(chunkOctets, list);
  }
  return list;
}

function repeated(text) {
  return Buffer.from(text.repeat(Math.ceil(MB / text.length))).subarray(0, MB);
}

/** The best of some rounds: what else runs on the machine only ever adds. */
function msPerMb(work) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    work();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6);
  }
  return best;
}

function heading(text) {
  console.log(`\n${text}`);
}

function both(name, work) {
  row(
    name,
    msPerMb(() => work(javaScript)),
    msPerMb(() => work(webAssembly)),
  );
}

function row(name, js, wasm) {
  const ratio = (js / wasm).toFixed(1);
  console.log(
    `  ${name.padEnd(22)} JavaScript ${js.toFixed(3)}  WebAssembly ${wasm.toFixed(3)}  ratio ${ratio}`,
  );
}

/** The codecs bundled from source, twice; the first copy finds no WebAssembly when it first asks for it. */
async function bothForms() {
  const folder = mkdtempSync(join(tmpdir(), 'pop3-bench-'));
  try {
    const outfile = join(folder, 'codecs.mjs');
    const contents = FILES.map((file) => `export * from './${file}.ts';`).join('\n');
    const resolveDir = fileURLToPath(new URL('../src', import.meta.url));
    await build({ stdin: { contents, resolveDir }, bundle: true, format: 'esm', target: 'node20', outfile });
    const javaScript = await import(`${pathToFileURL(outfile)}?javascript`);
    const { WebAssembly } = globalThis;
    delete globalThis.WebAssembly;
    javaScript.wireKernel();
    globalThis.WebAssembly = WebAssembly;
    return { javaScript, webAssembly: await import(`${pathToFileURL(outfile)}?webassembly`) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
