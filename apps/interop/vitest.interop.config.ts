import { defineConfig } from 'vitest/config';

// One program at a time: each of them and what it talks to want a processor of their own. Real programs, real sockets.
// `pop3d` runs as it was built, the client from its source.
export default defineConfig({
  resolve: { conditions: ['@pop3/source'] },
  ssr: { resolve: { conditions: ['@pop3/source', 'node', 'import', 'default'] } },
  test: {
    include: ['clients/**/*.test.ts', 'servers/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
});
