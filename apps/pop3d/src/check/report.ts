/** Text for a terminal of 80 columns. */

const COLUMNS = 80;

/** A paragraph, broken between words; lines after the first are indented further. A word that is too long stays whole. */
export function paragraph(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = ' '.repeat(indent);
  const further = ' '.repeat(indent + 2);
  let isEmpty = true;
  for (const word of text.split(' ')) {
    const longer = isEmpty ? line + word : `${line} ${word}`;
    if (longer.length > COLUMNS && !isEmpty) {
      lines.push(line);
      line = further + word;
    } else {
      line = longer;
    }
    isEmpty = false;
  }
  return [...lines, line];
}

/** Items that share a text, in the order in which they came, as `item, item: text`. */
export function grouped(pairs: Iterable<readonly [item: string, text: string]>): string[] {
  const items = new Map<string, Set<string>>();
  for (const [item, text] of pairs) items.set(text, (items.get(text) ?? new Set()).add(item));
  return Array.from(items, ([text, names]) => `${[...names].join(', ')}: ${text}`);
}
