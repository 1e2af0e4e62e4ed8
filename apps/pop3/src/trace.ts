import type { ClientTrace, Status } from '@pop3/core';
import type { Call } from './call.js';
import { visible } from './visible.js';

/** Writes the dialogue to the error output, secrets masked. */
export function traceTo({ terminal, mask }: Call): (event: ClientTrace) => void {
  return (event) => {
    const line = lineOf(event);
    if (line !== null) terminal.error.write(`${visible(mask.masked(line))}\n`);
  };
}

function lineOf(event: ClientTrace): string | null {
  switch (event.type) {
    case 'command':
      return `C: ${event.command}`;
    case 'greeting':
    case 'response':
      return `S: ${statusText(event.status)}`;
    case 'state':
      return null;
  }
}

/** A status line as it was sent. */
export function statusText({ status, code, text }: Status): string {
  return [status, code === null ? '' : `[${code}]`, text].filter(Boolean).join(' ');
}
