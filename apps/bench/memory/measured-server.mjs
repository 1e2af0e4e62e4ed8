// Starts a server in a fresh process and reads from the kernel what it keeps resident.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SERVE = fileURLToPath(new URL('./serve.mjs', import.meta.url));
const MIB = 1 << 20;

/** @param what - as serve.mjs takes it */
export async function startServer(what) {
  const child = spawn(process.execPath, [SERVE, what], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const status = (field) => {
    const text = readFileSync(`/proc/${child.pid}/status`, 'latin1');
    return (Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / MIB;
  };
  return {
    port: Number(line),
    /** Resident memory at the moment, in MiB. */
    resident: () => status('VmRSS'),
    /** The most that was resident since `forgetPeak`, in MiB: the kernel's own count, not a sample. */
    peak: () => status('VmHWM'),
    forgetPeak: () => writeFileSync(`/proc/${child.pid}/clear_refs`, '5'),
    /** Processor time used so far, in seconds. */
    cpuSeconds: () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    async stop() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}
