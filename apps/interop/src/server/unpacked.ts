/**
 * Servers that ./unpack-servers has put into folders of their own. Each is started in namespaces of its own, in which its
 * folder lies over /usr, /etc and /var: it finds everything where Debian would have installed it, what it writes there is in
 * memory, and it all ends with the first process. Needs root.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServerProcess, startProcess } from './process.js';

const FOLDERS = fileURLToPath(new URL('../../.servers', import.meta.url));

/** Whether ./unpack-servers has unpacked this server. */
export function isUnpacked(name: string): boolean {
  return existsSync(join(FOLDERS, name, 'unpacked'));
}

/** The namespace as Debian's installation would leave the system. The first tmpfs is the whole memory of it. */
const LAY_OVER = `
set -e
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C.UTF-8
mount -t tmpfs -o mode=755 tmpfs "$OVERLAY"
cp -a "$FOLDER" "$OVERLAY/lower"
for top in usr etc var; do
  mkdir -p "$OVERLAY/upper/$top" "$OVERLAY/work/$top"
  layers="lowerdir=$OVERLAY/lower/$top:/$top,upperdir=$OVERLAY/upper/$top,workdir=$OVERLAY/work/$top"
  mount -t overlay overlay -o "$layers" "/$top"
done
mount -t tmpfs tmpfs /run
mkdir -m 1777 /run/lock
`;

/** What a script below can name. */
export interface Unpacked {
  /** A folder of `.servers`. */
  readonly name: string;
  /** Where the server keeps files of its own that outlive it. */
  readonly directory: string;
  /** Runs as root with /bin/sh; the first command that fails ends it. It must wait for what it starts. */
  readonly script: string;
  /** What the script finds in its environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a script in the namespaces, and waits until what it prints satisfies `ready`. */
export async function startUnpacked<T>(
  { name, directory, script, environment }: Unpacked,
  ready: (printed: string) => T | undefined,
): Promise<{ process: ServerProcess; found: T }> {
  const overlay = join(directory, 'overlay');
  await mkdir(overlay, { recursive: true });
  // The shell stays as the first process of its namespace: with it, all others end, those in sessions of their own as well.
  const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];
  // A test run that is killed takes the server with it.
  const args = ['--pdeathsig', 'KILL', 'unshare', ...namespaces, '/bin/sh', '-c', LAY_OVER + script];
  return startProcess('setpriv', args, ready, {
    ...environment,
    FOLDER: join(FOLDERS, name),
    OVERLAY: overlay,
  });
}

/** Shell: for a server that does not say when it is there, waits until $POP3_PORT takes connections. */
export const UNTIL_LISTENING = `until bash -c ": </dev/tcp/127.0.0.1/$POP3_PORT" 2>/dev/null; do sleep 0.02; done`;
