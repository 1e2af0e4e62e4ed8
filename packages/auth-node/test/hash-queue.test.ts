import { expect, it } from 'vitest';
import { HashQueue } from '../src/hash-queue.js';

/** Work that ends when it is told to. */
function manualWork() {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const work = (id: number) => () => {
    started.push(id);
    return new Promise<number>((resolve) => ends.push(() => resolve(id)));
  };
  return { started, ends, work };
}

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('runs no more than its limit at once, and the rest in the order of their coming', async () => {
  const queue = new HashQueue({ maxRunning: 2 });
  const { started, ends, work } = manualWork();
  const results = [1, 2, 3, 4].map((id) => queue.run(work(id), never));
  await settle();
  expect(started).toEqual([1, 2]);
  ends[0]?.();
  await settle();
  expect(started).toEqual([1, 2, 3]);
  ends[1]?.();
  await settle();
  ends[2]?.();
  ends[3]?.();
  expect(await Promise.all(results)).toEqual([1, 2, 3, 4]);
});

it('refuses when too many wait, and takes work again afterwards', async () => {
  const queue = new HashQueue({ maxRunning: 1, maxWaiting: 1 });
  const { ends, work } = manualWork();
  const first = queue.run(work(1), never);
  const second = queue.run(work(2), never);
  expect(await queue.run(work(3), never)).toBe('busy');
  ends[0]?.();
  await first;
  await settle();
  ends[1]?.();
  await second;
  const fourth = queue.run(work(4), never);
  ends[2]?.();
  expect(await fourth).toBe(4);
});

it('does not start work that nobody wants any more', async () => {
  const queue = new HashQueue({ maxRunning: 1 });
  const { started, ends, work } = manualWork();
  const gone = new AbortController();
  const first = queue.run(work(1), never);
  const second = queue.run(work(2), gone.signal);
  gone.abort();
  ends[0]?.();
  await first;
  expect(await second).toBe('busy');
  expect(started).toEqual([1]);
});

it('keeps its place for others when work fails', async () => {
  const queue = new HashQueue({ maxRunning: 1 });
  await expect(queue.run(() => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken');
  expect(await queue.run(async () => 'fine', never)).toBe('fine');
});
