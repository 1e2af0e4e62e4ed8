import { expect, it } from 'vitest';
import { checkCommands } from '../src/commands.mjs';
import { repositoryOf } from './temporary-repository.js';

function problemsOf(...lines: string[]): string[] {
  const repository = repositoryOf({
    'page.md': lines.join('\n'),
    'package.json': '{"scripts":{"build":"x","start":"x"},"devDependencies":{"@changesets/cli":"1"}}',
    'packages/a/package.json': '{"name":"@pop3/a","scripts":{"test":"x"}}',
    'apps/pop3d/package.json': '{"name":"pop3d"}',
    'apps/pop3d/src/cli.ts': '',
    'apps/pop3d/src/program.ts':
      ".command('serve', '')\n.option('--demo', '')\n.command('user <add> [name]', '')",
    'apps/pop3d/src/config/schema.ts': "{ flag: 'listen-tls', placeholder: 'X' }",
    'apps/pop3/src/cli.ts': '',
    'apps/pop3/src/commands.ts': ".command('list <host>', '')\n.option(\n  '-u, --user <NAME>', '')",
  });
  return checkCommands(repository, ['page.md']).map(({ line, message }) => `${line}: ${message}`);
}

it('accepts what is there', () => {
  const lines = [
    '```console',
    '$ npm install --global pnpm@1',
    'pop3d nonsense',
    '$ pnpm build   # all of it',
    '```',
    '```sh',
    'pnpm --filter @pop3/a test',
    'node apps/pop3d/dist/cli.js serve --listen-tls X',
    'node page.md',
    'pop3 list pop.example.org -u ann | head -3',
    'node apps/pop3/dist/cli.js list pop.example.org --user ann',
    'curl pop3://127.0.0.1/',
    '```',
    '```ini',
    'pop3d unix - n n - - pipe',
    '```',
    '`npm start`, `pnpm changeset`, `pop3d user add ann`, `pop3d serve [--demo]`, `pop3d --help`, `pop3d`',
  ];
  expect(problemsOf(...lines)).toEqual([]);
});

it.each([
  ['npm run nothing', 'package.json has no script "nothing"'],
  ['pnpm nothing', 'package.json has no script "nothing"'],
  ['pnpm size-limit', 'package.json has no script "size-limit"'],
  ['pnpm --filter @pop3/b test', 'there is no package @pop3/b'],
  ['pnpm --filter @pop3/a build', 'packages/a/package.json has no script "build"'],
  ['node apps/pop3d/dist/main.js', 'git tracks neither apps/pop3d/dist/main.js nor a source of it'],
  ['node apps/pop3d/dist/cli.js server', 'pop3d has no command "server"'],
  ['pop3d serve --listn X', 'pop3d has no flag --listn'],
  ['pop3 lst h', 'pop3 has no command "lst"'],
  ['pop3 list h --usr X', 'pop3 has no flag --usr'],
])('reports "%s", in a block and in a line', (command, message) => {
  expect(problemsOf('```sh', command, '```', `run \`${command}\``)).toEqual([
    `2: ${command}: ${message}`,
    `4: ${command}: ${message}`,
  ]);
});
