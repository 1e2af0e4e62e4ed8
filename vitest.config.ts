import { defineConfig } from 'vitest/config';

// Tests run against the packages' sources (the `@pop3/source` condition), so none of them needs a build first;
// only tests of a command line run what was built.
export default defineConfig({
  resolve: { conditions: ['@pop3/source'] },
  ssr: { resolve: { conditions: ['@pop3/source', 'node', 'import', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    reporters: ['default'],
  },
});
