import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

// One configuration for every package: the entries are the source files that its `exports` and `bin` name.
interface Manifest {
  readonly exports?: Record<string, string | { readonly '@pop3/source'?: string }>;
  readonly bin?: Record<string, string>;
}
const manifest: Manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const entry: Record<string, string> = {};
for (const [path, target] of Object.entries(manifest.exports ?? {})) {
  const source = typeof target === 'string' ? undefined : target['@pop3/source'];
  if (source !== undefined) entry[path === '.' ? 'index' : path.slice(2)] = source;
}
const library = Object.keys(entry).length > 0;
for (const file of Object.values(manifest.bin ?? {})) {
  const name = file.replace(/^(\.\/)?dist\//, '').replace(/\.js$/, '');
  entry[name] = `src/${name}.ts`;
}

export default defineConfig({
  entry,
  format: ['esm'],
  target: 'node20',
  platform: 'neutral',
  external: [/^node:/],
  removeNodeProtocol: false,
  sourcemap: true,
  clean: true,
  // tsup sets baseUrl for its declaration build, which TypeScript 6 calls deprecated.
  dts: library && { compilerOptions: { ignoreDeprecations: '6.0', customConditions: [] } },
});
