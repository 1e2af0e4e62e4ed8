/**
 * What the checks have to know of a Markdown file. Lines are 1-based.
 *
 * @typedef {{ readonly language: string, readonly marks: readonly string[], readonly line: number, readonly code: string }} Block
 *   A fenced block: `line` is that of its opening fence, `marks` are the words after the language.
 * @typedef {{ readonly target: string, readonly line: number }} Link
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*(.*)$/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/;
const INLINE_LINK = /\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+"[^"]*")?\s*\)/g;
const LINK_DEFINITION = /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/g;
const HTML_LINK = /\b(?:href|src)="([^"]*)"/g;
const HTML_ANCHOR = /\b(?:id|name)="([^"]*)"/g;

/**
 * The fenced blocks of a text, in order. One that is never closed ends with the text.
 *
 * @param {string} text
 * @returns {Block[]}
 */
export function blocksOf(text) {
  return scan(text).blocks;
}

/**
 * Every link and image outside of code, whatever it points at.
 *
 * @param {string} text
 * @returns {Link[]}
 */
export function linksOf(text) {
  return scan(text).prose.flatMap((line, index) =>
    [INLINE_LINK, LINK_DEFINITION, HTML_LINK].flatMap((pattern) =>
      Array.from(withoutCode(line).matchAll(pattern), (match) => ({
        target: match[1] ?? '',
        line: index + 1,
      })),
    ),
  );
}

/**
 * What `#...` of a link can name: headings as GitHub makes anchors of them, and HTML ids.
 *
 * @param {string} text
 * @returns {Set<string>}
 */
export function anchorsOf(text) {
  /** @type {Set<string>} */
  const anchors = new Set();
  for (const line of scan(text).prose) {
    for (const [, id] of line.matchAll(HTML_ANCHOR)) if (id) anchors.add(id);
    const heading = HEADING.exec(line)?.[1];
    if (heading === undefined) continue;
    const anchor = anchorOf(heading);
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

/**
 * Rows of all tables whose header has these columns: cells by column, without the blanks around them. A `|` in a code
 * span or after a backslash does not end a cell.
 *
 * @param {string} text
 * @param {readonly string[]} columns
 * @returns {{ readonly line: number, readonly cells: readonly string[] }[]}
 */
export function rowsOf(text, columns) {
  /** @type {{ line: number, cells: string[] }[]} */
  const rows = [];
  let inside = false;
  for (const [index, line] of scan(text).prose.entries()) {
    if (!line.startsWith('|')) {
      inside = false;
      continue;
    }
    const cells = cellsOf(line);
    if (cells.join('|') === columns.join('|')) inside = true;
    else if (inside && !/^[|\s:-]+$/.test(line)) rows.push({ line: index + 1, cells });
  }
  return rows;
}

/**
 * The code spans of a text, outside of blocks.
 *
 * @param {string} text
 * @returns {{ readonly content: string, readonly line: number }[]}
 */
export function spansOf(text) {
  return scan(text).prose.flatMap((line, index) =>
    codeSpansOf(line).map((content) => ({ content, line: index + 1 })),
  );
}

/**
 * The contents of the code spans in a line.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function codeSpansOf(text) {
  return Array.from(text.matchAll(/`([^`]+)`/g), (match) => match[1] ?? '');
}

/**
 * @param {string} text
 * @returns {{ blocks: Block[], prose: string[] }} `prose` has all lines, those of blocks empty
 */
function scan(text) {
  /** @type {Block[]} */
  const blocks = [];
  /** @type {string[]} */
  const prose = [];
  /** @type {{ fence: string, info: string, line: number, code: string[] } | null} */
  let open = null;
  const close = () => {
    if (open === null) return;
    const [language = '', ...marks] = open.info.split(/\s+/);
    blocks.push({ language, marks, line: open.line, code: open.code.map((line) => `${line}\n`).join('') });
    open = null;
  };
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, fence = '', info = ''] = FENCE.exec(line) ?? [];
    if (open === null && fence !== '') open = { fence, info: info.trim(), line: index + 1, code: [] };
    else if (open !== null && fence.startsWith(open.fence) && info === '') close();
    else if (open !== null) open.code.push(line);
    else {
      prose.push(line);
      continue;
    }
    prose.push('');
  }
  close();
  return { blocks, prose };
}

/** @param {string} line */
function withoutCode(line) {
  return line.replace(/(`+)(?!`).*?(?<!`)\1(?!`)/g, '');
}

/** @param {string} heading */
function anchorOf(heading) {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]*>/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/** @param {string} line */
function cellsOf(line) {
  const cells = [''];
  let inCode = false;
  for (const part of line.match(/\\\||`|\||[^`|\\]+|\\/g) ?? []) {
    if (part === '`') inCode = !inCode;
    if (part === '|' && !inCode) cells.push('');
    else cells[cells.length - 1] += part === '\\|' ? '|' : part;
  }
  // What stands before the first and after the last bar is no cell.
  return cells.slice(1, -1).map((cell) => cell.trim());
}
