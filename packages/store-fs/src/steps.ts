import type { MaybePromise, StoreContext } from '@pop3/core';

/**
 * Work that is done at once as far as it can be, and says where it cannot: each `yield` is a promise to wait for, or
 * nothing, to let other sessions have a turn. {@link run} gives its result as a value when there was no `yield`.
 */
export type Steps<T> = Generator<PromiseLike<unknown> | undefined, T, undefined>;

/**
 * Does the work: without a promise up to the first `yield`, and with one from there on.
 *
 * @param context - its signal, when aborted, ends the work with its reason at the next `yield`; `finally` blocks run
 */
export function run<T>(steps: Steps<T>, context?: StoreContext): MaybePromise<T> {
  const step = steps.next();
  return step.done === true ? step.value : rest(steps, step.value, context);
}

/** The result of a promise, for work done in steps. */
export function* waitFor<T>(promise: PromiseLike<T>): Steps<T> {
  let result: { readonly value: T } | undefined;
  yield promise.then((value) => {
    result = { value };
  });
  return (result as { readonly value: T }).value;
}

async function rest<T>(
  steps: Steps<T>,
  first: PromiseLike<unknown> | undefined,
  context: StoreContext | undefined,
): Promise<T> {
  let pending = first;
  for (;;) {
    let step: IteratorResult<PromiseLike<unknown> | undefined, T>;
    try {
      await (pending ?? nextTurn());
      context?.signal.throwIfAborted();
      step = steps.next();
    } catch (error) {
      step = steps.throw(error);
    }
    if (step.done === true) return step.value;
    pending = step.value;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
