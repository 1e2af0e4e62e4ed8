/** What of `process` is used where it exists. */
interface Host {
  readonly process?: {
    memoryUsage?(): { readonly heapUsed: number; readonly external: number };
    getBuiltinModule?(name: string): Record<string, unknown> | undefined;
  };
  readonly gc?: () => void;
}

/** Measures what the program holds on to: objects of the heap and the memory of typed arrays, after a collection. */
export interface HeapMeter {
  /** In octets. Collects garbage first. */
  heldOctets(): Promise<number>;
}

/**
 * A meter, or null where garbage cannot be collected on demand: without that a measurement means nothing. Node gives
 * it without being asked on the command line; elsewhere `globalThis.gc` is used.
 */
export function heapMeter(): HeapMeter | null {
  const { process } = globalThis as Host;
  const collect = garbageCollector();
  const memoryUsage = process?.memoryUsage;
  if (collect === null || memoryUsage === undefined) return null;
  return {
    async heldOctets() {
      // Typed arrays are freed beside the collection: the second finds what the first has left to do.
      for (let times = 0; times < 3; times++) {
        collect();
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      const { heapUsed, external } = memoryUsage();
      return heapUsed + external;
    },
  };
}

function garbageCollector(): (() => void) | null {
  const { gc, process } = globalThis as Host;
  if (gc !== undefined) return gc;
  try {
    const v8 = process?.getBuiltinModule?.('node:v8') as
      | { setFlagsFromString(flag: string): void }
      | undefined;
    const vm = process?.getBuiltinModule?.('node:vm') as
      | { runInNewContext(code: string): unknown }
      | undefined;
    if (v8 === undefined || vm === undefined) return null;
    v8.setFlagsFromString('--expose-gc');
    const exposed = vm.runInNewContext('gc');
    v8.setFlagsFromString('--no-expose-gc');
    return typeof exposed === 'function' ? (exposed as () => void) : null;
  } catch {
    return null; /* Forbidden here, or not V8. */
  }
}
