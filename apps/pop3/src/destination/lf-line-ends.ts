const CR = 0x0d;
const LF = 0x0a;

/** The octets with LF for CR LF, as files of this kind have them. Any other CR stays. */
export async function* withLfLineEnds(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let held = false;
  for await (const chunk of chunks) {
    const converted = new Uint8Array(chunk.length + 1);
    let length = 0;
    for (let at = 0; at < chunk.length; at++) {
      const octet = chunk[at] as number;
      if (held && octet !== LF) converted[length++] = CR;
      held = octet === CR;
      if (!held) converted[length++] = octet;
    }
    yield converted.subarray(0, length);
  }
  if (held) yield Uint8Array.of(CR);
}
