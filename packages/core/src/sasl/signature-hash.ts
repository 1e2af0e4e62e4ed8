import { hexOf } from './hex.js';

/**
 * Names the hash function that the signature of a certificate uses, as OpenSSL and Node call it: the one that makes
 * `tls-server-end-point` of the certificate (RFC 5929 section 4.1).
 *
 * @param certificate - DER
 * @returns SHA-256 in place of MD5 and SHA-1; null for a signature with no hash function or with several of them, for
 *   which the binding is not defined, and for one that is not known here
 */
export function signatureHashOf(certificate: Uint8Array): string | null {
  // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { algorithm, parameters }, ... } (RFC 5280)
  const outer = elementAt(certificate, 0);
  const [, algorithm] = outer === null ? [] : elementsOf(outer.value);
  if (algorithm === undefined) return null;
  const [oid, parameters] = elementsOf(algorithm.value);
  if (oid === undefined) return null;
  const name = hexOf(oid.value);
  const hash = name === RSASSA_PSS ? pssHashOf(parameters) : (SIGNATURES[name] ?? null);
  return hash === 'md5' || hash === 'sha1' ? 'sha256' : hash;
}

/** Object identifiers by their octets: RFC 8017 appendix A, RFC 5758 section 3, RFC 9688. */
const SIGNATURES: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'md5',
  '2a864886f70d010105': 'sha1',
  '2a864886f70d01010e': 'sha224',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a864886f70d01010f': 'sha512-224',
  '2a864886f70d010110': 'sha512-256',
  '2b0e03021d': 'sha1',
  '2a8648ce3d0401': 'sha1',
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2a8648ce380403': 'sha1',
  '608648016503040301': 'sha224',
  '608648016503040302': 'sha256',
  '608648016503040303': 'sha384',
  '608648016503040304': 'sha512',
  '608648016503040309': 'sha3-224',
  '60864801650304030a': 'sha3-256',
  '60864801650304030b': 'sha3-384',
  '60864801650304030c': 'sha3-512',
  '60864801650304030d': 'sha3-224',
  '60864801650304030e': 'sha3-256',
  '60864801650304030f': 'sha3-384',
  '608648016503040310': 'sha3-512',
};
const RSASSA_PSS = '2a864886f70d01010a';

const HASHES: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha1',
  '608648016503040204': 'sha224',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
  '608648016503040205': 'sha512-224',
  '608648016503040206': 'sha512-256',
};

const HASH_ALGORITHM = 0xa0;
const MASK_GENERATION = 0xa1;

/** RSASSA-PSS-params (RFC 8017 appendix A.2.3): SHA-1 where nothing is said, and a hash of its own for the mask. */
function pssHashOf(parameters: Element | undefined): string | null {
  const fields = parameters === undefined ? [] : elementsOf(parameters.value);
  const field = (tag: number) => fields.find((element) => element.tag === tag);
  const hash = hashNamed(field(HASH_ALGORITHM));
  const mask = field(MASK_GENERATION);
  // [1] AlgorithmIdentifier { mgf1, its hash function as an AlgorithmIdentifier }
  const [, maskHash] = mask === undefined ? [] : elementsOf(elementAt(mask.value, 0)?.value);
  const [oid] = elementsOf(maskHash?.value);
  const ofMask = mask === undefined ? 'sha1' : oid && HASHES[hexOf(oid.value)];
  return hash === ofMask ? hash : null;
}

/** `[0] AlgorithmIdentifier`, or SHA-1 where it is left out. */
function hashNamed(field: Element | undefined): string | null {
  if (field === undefined) return 'sha1';
  const [oid] = elementsOf(elementAt(field.value, 0)?.value);
  return (oid && HASHES[hexOf(oid.value)]) ?? null;
}

/** One element of DER (X.690): its tag and what it holds. */
interface Element {
  readonly tag: number;
  readonly value: Uint8Array;
  /** Where the next one starts. */
  readonly end: number;
}

function elementsOf(octets: Uint8Array | undefined): Element[] {
  const elements: Element[] = [];
  for (let at = 0; octets !== undefined && at < octets.length; ) {
    const element = elementAt(octets, at);
    if (element === null) return [];
    elements.push(element);
    at = element.end;
  }
  return elements;
}

/** Null for what is no DER. Tags of several octets do not occur here. */
function elementAt(octets: Uint8Array, at: number): Element | null {
  const [tag, first] = octets.subarray(at, at + 2);
  if (tag === undefined || first === undefined) return null;
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    start += first - 0x80;
    length = octets.subarray(at + 2, start).reduce((sum, octet) => sum * 256 + octet, 0);
  }
  const end = start + length;
  return end > octets.length ? null : { tag, value: octets.subarray(start, end), end };
}
