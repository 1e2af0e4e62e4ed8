import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeConformance } from '@pop3/store-conformance';
import { describe, it } from 'vitest';
import { deliverToMaildir, fsStore } from '../src/index.js';

/** No user of the system has this id, and a process with it may do no more than any other. */
const NOBODY = 65_534;

storeConformance(
  { describe, it },
  {
    async open(seed) {
      const root = mkdtempSync(join(tmpdir(), 'pop3-store-fs-'));
      const maildir = join(root, 'ann');
      const names: string[] = [];
      for (const message of seed) {
        names.push((await deliverToMaildir(maildir, message, { create: true, fsync: false })).name);
      }
      const undo: (() => void)[] = [];
      return {
        store: storeOf(root),
        identity: { maildrop: 'ann', username: 'ann' },
        root,
        maildir,
        names,
        undo,
        cleanup() {
          for (const action of undo) action();
          rmSync(root, { recursive: true });
        },
      };
    },
    deliver: ({ maildir }, message) => deliverToMaildir(maildir, message, { create: true, fsync: false }),
    removeBehind({ maildir, names }, position) {
      unlinkSync(join(maildir, 'new', names[position - 1] as string));
    },
    failDeletes({ maildir, undo }) {
      // The system lets its administrator delete anything.
      const isAdministrator = process.geteuid?.() === 0;
      if (isAdministrator) {
        undo.push(() => process.seteuid?.(0));
        execFileSync('chown', ['-R', String(NOBODY), maildir]);
        chmodSync(join(maildir, '..'), 0o755);
      }
      chmodSync(join(maildir, 'new'), 0o555);
      undo.push(() => chmodSync(join(maildir, 'new'), 0o755));
      if (isAdministrator) process.seteuid?.(NOBODY);
    },
    reopen: ({ root }) => storeOf(root),
    secondStore: ({ root }) => storeOf(root),
  },
);

function storeOf(root: string) {
  return fsStore({ maildir: `${root}/{user}`, fsync: false });
}
