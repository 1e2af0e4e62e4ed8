import { expect, it } from 'vitest';
import { signatureHashOf } from '../src/sasl/index.js';

/** One element of DER, given its content as hexadecimal digits. */
function der(tag: string, ...content: string[]): string {
  const value = content.join('');
  const length = value.length / 2;
  const octets =
    length < 0x80 ? length.toString(16).padStart(2, '0') : `82${length.toString(16).padStart(4, '0')}`;
  return `${tag}${octets}${value}`;
}

const sequence = (...content: string[]) => der('30', ...content);
const oid = (octets: string) => der('06', octets);
const NULL = '0500';

/** As much of a certificate as matters here: something to sign, the algorithm, a signature. */
function signedBy(...algorithm: string[]): Buffer {
  return Buffer.from(
    sequence(sequence(der('02', '01'.repeat(300))), sequence(...algorithm), der('03', '00')),
    'hex',
  );
}

const RSA = '2a864886f70d0101';
const SHA = '6086480165030402';
const MGF1 = oid(`${RSA}08`);

function pss(hash: string | null, maskHash: string | null): Buffer {
  const fields = [
    hash === null ? '' : der('a0', sequence(oid(hash), NULL)),
    maskHash === null ? '' : der('a1', sequence(MGF1, sequence(oid(maskHash), NULL))),
    der('a2', der('02', '20')),
  ];
  return signedBy(oid(`${RSA}0a`), sequence(...fields));
}

it.each([
  ['RSA with MD5, in whose place SHA-256 stands', signedBy(oid(`${RSA}04`), NULL), 'sha256'],
  ['RSA with SHA-1, in whose place SHA-256 stands', signedBy(oid(`${RSA}05`), NULL), 'sha256'],
  ['RSA with SHA-224', signedBy(oid(`${RSA}0e`), NULL), 'sha224'],
  ['RSA with SHA-256', signedBy(oid(`${RSA}0b`), NULL), 'sha256'],
  ['RSA with SHA-384', signedBy(oid(`${RSA}0c`), NULL), 'sha384'],
  ['RSA with SHA-512', signedBy(oid(`${RSA}0d`), NULL), 'sha512'],
  ['ECDSA with SHA-1', signedBy(oid('2a8648ce3d0401')), 'sha256'],
  ['ECDSA with SHA-256', signedBy(oid('2a8648ce3d040302')), 'sha256'],
  ['ECDSA with SHA-384', signedBy(oid('2a8648ce3d040303')), 'sha384'],
  ['ECDSA with SHA-512', signedBy(oid('2a8648ce3d040304')), 'sha512'],
  ['ECDSA with SHA3-384', signedBy(oid('60864801650304030b')), 'sha3-384'],
  ['RSA-PSS with SHA-256', pss(`${SHA}01`, `${SHA}01`), 'sha256'],
  ['RSA-PSS with SHA-512', pss(`${SHA}03`, `${SHA}03`), 'sha512'],
  ['RSA-PSS with SHA-1, which need not be said', pss(null, null), 'sha256'],
  ['RSA-PSS with another hash for its mask', pss(`${SHA}03`, `${SHA}01`), null],
  ['RSA-PSS with SHA-512 and the mask left as it is', pss(`${SHA}03`, null), null],
  ['RSA-PSS with an unknown hash', pss('2a03', '2a03'), null],
  ['Ed25519, which has no hash of its own', signedBy(oid('2b6570')), null],
  ['Ed448', signedBy(oid('2b6571')), null],
  ['something unknown', signedBy(oid('2a03')), null],
])('finds the hash function of %s', (_, certificate, hash) => {
  expect(signatureHashOf(certificate)).toBe(hash);
});

it.each([
  ['nothing', ''],
  ['no sequence inside', sequence()],
  ['an algorithm without a name', sequence(sequence(), sequence())],
  ['a length that goes too far', '30ff0102'],
  ['a tag alone', '30'],
])('finds none in %s', (_, digits) => {
  expect(signatureHashOf(Buffer.from(digits, 'hex'))).toBeNull();
});
