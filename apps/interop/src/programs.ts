import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

/** The programs the tests run, each with the Debian package it comes from. The same packages are in packages.txt. */
export const DEBIAN_PACKAGES = {
  curl: 'curl',
  doveadm: 'dovecot-core',
  dovecot: 'dovecot-pop3d',
  'fail2ban-regex': 'fail2ban',
  fetchmail: 'fetchmail',
  getmail: 'getmail6',
  mpop: 'mpop',
  neomutt: 'neomutt',
  openssl: 'openssl',
  python3: 'python3',
  script: 'bsdutils',
  thunderbird: 'thunderbird',
  unshare: 'util-linux',
} as const;

export type Program = keyof typeof DEBIAN_PACKAGES;

/** The path of a program: Debian's own directory first, because a python3 from elsewhere may lack modules. */
export function pathOf(program: string): string | undefined {
  const { PATH = '' } = process.env;
  const places = ['/usr/bin', '/usr/sbin', ...PATH.split(delimiter)];
  return places.map((place) => join(place, program)).find(executable);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Like `describe`, for tests that need programs. Where one is missing the tests are skipped and their title names the
 * Debian package; with CI=true that is a failure.
 */
export function describeWith(programs: readonly Program[], title: string, tests: () => void): void {
  describeUnless(missingOf(programs), title, tests);
}

/** The programs that are missing, each with its Debian package; openssl is needed always. */
export function missingOf(programs: readonly Program[]): string[] {
  const all: readonly Program[] = [...programs, 'openssl'];
  const missing = all.filter((program) => pathOf(program) === undefined);
  return missing.map((program) => `${program} (Debian package ${DEBIAN_PACKAGES[program]})`);
}

/** Like `describe`: with something missing the tests are skipped and their title says what; with CI=true that is a failure. */
export function describeUnless(missing: readonly string[], title: string, tests: () => void): void {
  if (missing.length === 0) {
    describe(title, tests);
    return;
  }
  const reason = `missing: ${missing.join(', ')}`;
  const { CI } = process.env;
  if (CI === 'true') {
    describe(title, () => {
      it('finds what it needs', () => {
        throw new Error(reason);
      });
    });
    return;
  }
  describe.skip(`${title} [skipped, ${reason}]`, tests);
}
