/** What a server says, in one line that cannot steer a terminal or break a table. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

/** Lines of text that cannot steer a terminal. A line ends in LF, or in CR LF. */
export function visibleText(text: string): string {
  return text.replaceAll('\r', '').replace(/(?![\t\n])\p{Cc}/gu, '?');
}
