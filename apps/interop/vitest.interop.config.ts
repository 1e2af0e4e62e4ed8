import { defineConfig } from 'vitest/config';

// One client at a time: each of them and the server want a processor of their own. Real programs, real sockets.
export default defineConfig({
  test: {
    include: ['clients/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
});
