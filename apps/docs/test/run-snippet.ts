import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { vi } from 'vitest';
import { moduleOf, type Snippet } from '../src/snippets.mjs';
import { definedCases } from './node-test.js';

const FOLDER = fileURLToPath(new URL('.tmp/', import.meta.url));
const PRINTED = /^\s*console\.log\(.*\); \/\/ (.*)$/;
/** Every import is of a module of its own. */
let count = 0;

/**
 * Runs a snippet as a module, against the sources of the packages. It has to end by itself and close its servers, and
 * to print what a comment behind a `console.log(...);` promises. If it defines cases on `node:test`, they have to pass.
 *
 * @throws Error that begins with `file:line`, the line being that of the document.
 */
export async function runSnippet(snippet: Snippet): Promise<void> {
  const { file, line } = snippet;
  const name = `snippet-${process.pid}-${++count}.ts`;
  const printed: string[] = [];
  const log = vi
    .spyOn(console, 'log')
    .mockImplementation((...values) => void printed.push(format(...values)));
  const servers = openServers();
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(FOLDER + name, moduleOf(snippet));
  try {
    await import(/* @vite-ignore */ FOLDER + name);
  } catch (error) {
    const at = error instanceof Error ? new RegExp(`${name}:(\\d+)`).exec(error.stack ?? '')?.[1] : undefined;
    throw new Error(`${file}:${at ?? line}: ${messageOf(error)}`, { cause: error });
  } finally {
    log.mockRestore();
    rmSync(FOLDER + name);
  }
  for (const promise of promises(snippet)) {
    const at = printed.indexOf(promise.text);
    if (at === -1)
      throw new Error(`${file}:${promise.line}: did not print "${promise.text}", but ${format(printed)}`);
    printed.splice(0, at + 1);
  }
  for (const { name, run } of definedCases()) {
    try {
      await run();
    } catch (error) {
      throw new Error(`${file}:${line}: ${name}: ${messageOf(error)}`, { cause: error });
    }
  }
  // A server that was told to close needs a turn or two for it.
  for (let turn = 0; turn < 10 && openServers() > servers; turn++) await setImmediate();
  if (openServers() > servers) throw new Error(`${file}:${line}: leaves a server behind`);
}

/** What the comments say will be printed, in the order of the lines. */
function promises({ code, line }: Snippet): { text: string; line: number }[] {
  return code.split('\n').flatMap((text, index) => {
    const promised = PRINTED.exec(text)?.[1];
    return promised === undefined ? [] : [{ text: promised, line: line + 1 + index }];
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function openServers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length;
}
