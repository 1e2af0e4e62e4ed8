/**
 * The WebAssembly SIMD form of the wire codecs: the same results as the JavaScript beside it, several times faster.
 * The code is `wire-kernel.wat`; a test assembles that file and compares it with the octets here.
 */

/** What is copied in and out at a time. Twice this and a little room have to fit into 64 KiB, the kernel's memory. */
const BLOCK_OCTETS = 16 * 1024;
/** Before the block stands the octet that came before it; after it the kernel needs room for 16 octets. */
const INPUT = 16;
const OUTPUT = INPUT + BLOCK_OCTETS + 16;

/** The module in base64: `wire-kernel.wat`, assembled. */
export const KERNEL_CODE =
  'AGFzbQEAAAABDwJgBH9/f38Bf2ACf38BfwMEAwABAQUEAQEBAQcbAwZtZW1vcnkCAAZlbmNvZGUAAAVjb3VudAACCtACA/QBAwJ/AnsCfyACIABrIQQgASADIARrEAEhBQJAA0AgACAFTw0BIAD9AAQAIQYgAEEBa/0ABAAhByAAIARqIAb9CwQAIAZBCv0P/SMgB0EN/Q/9I/1PIAZBLv0P/SMgB0EK/Q/9I/1O/VD9ZCEIIAgEQANAIAAgCGhqIQkgCSAFTw0DIAkgBGpBjRRBrtwAIAktAABBCkYbOwEAIAlBAWohCSAEQQFqIQQgCSAEaiAJ/QAEAP0LBAAgASADIARrEAEhBSAFIAlJBEAgCSEFCyAIIAhBAWtxIQggCA0ACwsgAEEQaiEADAALCyAFQRB0IAUgBGpyCwwAIAAgASAAIAFJGwtLAQF/IAFBAP0P/QsEAAJAA0AgACABTw0BIAIgAP0ABABBCv0P/SMgAEEBa/0ABABBDf0P/SP9T/1kaWohAiAAQRBqIQAMAAsLIAIL';

/** What the kernel exports, with addresses in its memory; see `wire-kernel.wat`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  encode(from: number, end: number, at: number, limit: number): number;
  count(from: number, end: number): number;
}

/** One for all codecs: no call leaves anything in the memory that the next one needs. */
export class WireKernel {
  /** Octets of the source used by the last {@link encode}. */
  consumed = 0;
  /** Octets put into the target by the last {@link encode}. */
  produced = 0;
  readonly #memory: Uint8Array;
  readonly #encode: Exports['encode'];
  readonly #count: Exports['count'];

  constructor({ memory, encode, count }: Exports) {
    this.#memory = new Uint8Array(memory.buffer);
    this.#encode = encode;
    this.#count = count;
  }

  /**
   * One step of `WireEncoder`: a block of the source, or less when fewer than two octets of room are left before.
   * `last` is the octet before `from`.
   */
  encode(last: number, source: Uint8Array, from: number, target: Uint8Array, at: number): void {
    const end = this.#load(last, source, from);
    const room = Math.min(BLOCK_OCTETS, target.length - at);
    const stopped = this.#encode(INPUT, end, OUTPUT, OUTPUT + Math.max(0, room - 1));
    this.consumed = (stopped >>> 16) - INPUT;
    const written = stopped & 0xffff;
    target.set(this.#memory.subarray(OUTPUT, written), at);
    this.produced = written - OUTPUT;
  }

  /** How many LF of `source` have no CR before them. `last` is the octet before the first. */
  bareLineFeeds(last: number, source: Uint8Array): number {
    let count = 0;
    let before = last;
    for (let from = 0; from < source.length; from += BLOCK_OCTETS) {
      const end = this.#load(before, source, from);
      count += this.#count(INPUT, end);
      before = this.#memory[end - 1] as number;
    }
    return count;
  }

  /** Copies the next block in and returns where it ends. */
  #load(last: number, source: Uint8Array, from: number): number {
    const block = source.subarray(from, from + BLOCK_OCTETS);
    this.#memory[INPUT - 1] = last;
    this.#memory.set(block, INPUT);
    return INPUT + block.length;
  }
}

/** The little that is used of it; not every consumer's `lib` declares WebAssembly. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

let kernel: WireKernel | null | undefined;

/**
 * The kernel, compiled on the first call; null where WebAssembly or its SIMD is missing, or where code must not be
 * compiled at run time, as in workerd.
 */
export function wireKernel(): WireKernel | null {
  if (kernel === undefined) kernel = compiled();
  return kernel;
}

function compiled(): WireKernel | null {
  try {
    const code = Uint8Array.from(atob(KERNEL_CODE), (character) => character.charCodeAt(0));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code));
    return new WireKernel(instance.exports as Exports);
  } catch {
    return null; /* The JavaScript form does the same. */
  }
}
