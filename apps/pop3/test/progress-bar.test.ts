import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { ProgressBar } from '../src/progress-bar.js';

function barOn(columns: number) {
  const screen = Object.assign(new PassThrough(), { columns });
  let ms = 0;
  const bar = new ProgressBar(screen, () => ms);
  return { bar, shown: () => String(screen.read() ?? ''), wait: (more: number) => (ms += more) };
}

const HALF = { message: 2, messages: 3, octets: 500_000, total: 1_000_000 };

it('shows the message, the share and the rate in one line that is drawn over', () => {
  const { bar, shown, wait } = barOn(100);
  wait(1000);
  bar.update(HALF);
  expect(shown()).toBe('\r\x1b[Kmessage 2 of 3  [############............]  500 kB of 1.0 MB  500 kB/s');
  bar.clear();
  expect(shown()).toBe('\r\x1b[K');
  bar.clear();
  expect(shown()).toBe('');
});

it('is not drawn more often than somebody can see', () => {
  const { bar, shown, wait } = barOn(100);
  bar.update(HALF);
  expect(shown()).not.toBe('');
  wait(99);
  bar.update(HALF);
  expect(shown()).toBe('');
  wait(1);
  bar.update(HALF);
  expect(shown()).not.toBe('');
});

it('shows no share where the total is unknown, and none above one where it is wrong', () => {
  const { bar, shown, wait } = barOn(100);
  bar.update({ ...HALF, total: null });
  expect(shown()).toBe('\r\x1b[Kmessage 2 of 3  500 kB');
  wait(100);
  bar.update({ ...HALF, total: 10 });
  expect(shown()).toContain(`[${'#'.repeat(24)}]`);
});

it('never fills a line of the terminal', () => {
  const { bar, shown } = barOn(20);
  bar.update(HALF);
  expect(shown()).toBe('\r\x1b[Kmessage 2 of 3  [##');
});
