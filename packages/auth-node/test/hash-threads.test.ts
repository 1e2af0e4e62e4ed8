import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { HashThreads } from '../src/hash-threads.js';
import { shaCryptDigest } from '../src/sha-crypt-digest.js';
import { temporaryFolder } from './temporary-folder.js';

const task = { algorithm: 'sha512', password: 'secret', salt: 'salt', rounds: 1000 } as const;

it('does many at once, each with its own answer, in few threads', async () => {
  const threads = new HashThreads(2);
  const tasks = Array.from({ length: 12 }, (_, i) => ({ ...task, password: `secret${i}` }));
  const digests = await Promise.all(tasks.map((each) => threads.shaCrypt(each)));
  expect(digests.map((digest) => Buffer.from(digest))).toEqual(
    tasks.map((each) => Buffer.from(shaCryptDigest(hash, each))),
  );
});

it('runs in a process of its own, which ends with the last answer and not before', () => {
  const folder = temporaryFolder();
  for (const name of ['hash-threads', 'sha-crypt-digest']) {
    const source = readFileSync(new URL(`../src/${name}.ts`, import.meta.url), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(join(folder, `${name}.js`), outputText);
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(folder, 'main.js'),
    `import { HashThreads } from './hash-threads.js';
     const digest = await new HashThreads(1).shaCrypt(${JSON.stringify(task)});
     console.log(Buffer.from(digest).toString('hex'));`,
  );
  const printed = execFileSync(process.execPath, ['main.js'], { cwd: folder, encoding: 'utf8' });
  expect(printed.trim()).toBe(Buffer.from(shaCryptDigest(hash, task)).toString('hex'));
});

it('fails what a thread cannot do, and goes on with the next one', async () => {
  const threads = new HashThreads(1);
  const broken = { ...task, algorithm: 'none' as 'sha512' };
  await expect(threads.shaCrypt(broken)).rejects.toThrow();
  expect(Buffer.from(await threads.shaCrypt(task))).toEqual(Buffer.from(shaCryptDigest(hash, task)));
});
