import { type CAC, type Command, cac } from 'cac';
import type { Call } from './call.js';
import { EXIT, MEANINGS } from './failure.js';

/** Does what a command is for, and gives the exit code. */
export type Action = (call: Call) => Promise<number>;

/** Sections of the help that cac begins with: the name of the program, and the usage. */
const USAGE_SECTIONS = 2;

/** The commands of `pop3` with their options. To run one gives its {@link Action}. */
export function declareCommands(): CAC {
  const program = cac('pop3');
  program
    .option('--version', 'Show the version')
    .help((sections) => [
      ...sections.slice(0, USAGE_SECTIONS),
      ...(program.matchedCommand === undefined ? [] : [{ body: program.matchedCommand.description }]),
      ...sections.slice(USAGE_SECTIONS).map(withoutDefaults),
      { title: 'Exit codes', body: exitCodes() },
    ]);

  withConnection(
    program
      .command('list <host>', 'Show number, octets and unique-id of each message')
      .option('--json', 'A line of JSON for each message'),
  )
    .example('  $ pop3 list pop.example.org --user ann')
    .example("  $ pop3 list pops://ann@pop.example.org --json | jq 'select(.octets > 1000000)'")
    .action(load(async () => (await import('./list.js')).list));

  withConnection(
    program
      .command('get <host> [...numbers]', 'Fetch messages: 3, 3-7, 12-, or all, which is the default')
      .option('-o, --output <PLACE>', 'A folder, a file for one message, or - for the standard output')
      .option('--maildir <DIR>', 'Deliver into this Maildir, with LF line ends')
      .option('--unique-id <ID>', 'The message with this unique-id. May be repeated')
      .option(
        '--name <WHAT>',
        'Name files in a folder by number (default) or unique-id; those that are there are left out',
      )
      .option('--delete', 'Delete each message that was stored safely')
      .option('--json', 'A line of JSON for each message')
      .option('--no-progress', 'No progress bar on a terminal'),
  )
    .example('  $ pop3 get pop.example.org 3 --user ann > message.eml')
    .example('  $ pop3 get pop.example.org all --user ann --output mail --name unique-id')
    .example('  $ pop3 get pop.example.org --user ann --maildir ~/Maildir --delete')
    .action(load(async () => (await import('./get.js')).get));

  withConnection(
    program
      .command('top <host> [number] [lines]', 'Show the header of a message, and LINES of its text')
      .option('--unique-id <ID>', 'The message with this unique-id, in place of NUMBER')
      .option('--json', 'As JSON'),
  )
    .example('  $ pop3 top pop.example.org 3 --user ann')
    .example('  $ pop3 top pop.example.org 3 10 --user ann')
    .action(load(async () => (await import('./top.js')).top));

  withConnection(
    program
      .command('delete <host> [...numbers]', DELETE_DESCRIPTION)
      .option('--unique-id <ID>', 'The message with this unique-id, which no other ever has. May be repeated')
      .option('--yes', 'Do not ask. Needed where nobody can answer')
      .option('--json', 'A line of JSON for each message'),
  )
    .example('  $ pop3 delete pop.example.org 3-7 --user ann')
    .example('  $ pop3 delete pop.example.org --unique-id 0000004c5f8d --yes --user ann')
    .action(load(async () => (await import('./delete.js')).deleteMessages));

  withConnection(
    program
      .command('capa <host>', 'Show what a server can do, before the login and after it')
      .option('--json', 'As JSON'),
  )
    .example('  $ pop3 capa pop.example.org')
    .example('  $ pop3 capa pop.example.org --user ann')
    .action(load(async () => (await import('./capa.js')).capa));

  withConnection(
    program
      .command('raw <host>', 'Send the lines of the standard input as commands, and show the answers')
      .option(
        '--multiline <KEYWORD>',
        'This command, which we do not know, is answered with lines. May be repeated',
      ),
  )
    .example('  $ pop3 raw pop.example.org --user ann')
    .example("  $ printf 'STAT\\nTOP 1 0\\n' | pop3 raw pop.example.org --user ann")
    .action(load(async () => (await import('./raw.js')).raw));

  program.example('  $ pop3 list pop.example.org --user ann');
  return program;
}

/** cac says of a negated option that it is true by default. */
function withoutDefaults<Section extends { readonly body: string }>(section: Section): Section {
  return { ...section, body: section.body.replace(/ *\(default: true\)/, '') };
}

function exitCodes(): string {
  const codes = Object.entries(EXIT) as [keyof typeof EXIT, number][];
  return codes.map(([name, code]) => `  ${String(code).padStart(3)}  ${MEANINGS[name]}`).join('\n');
}

const DELETE_DESCRIPTION =
  'Delete messages, for ever. Numbers change between sessions: look with pop3 list, or name unique-ids';

/** Each command is loaded when it runs. */
function load(action: () => Promise<Action>): () => Action {
  return () => async (call) => (await action())(call);
}

function withConnection(command: Command): Command {
  return command
    .option('-u, --user <NAME>', 'Who logs in. Default: the user of a URL, or POP3_USER')
    .option(
      '--password-env <NAME>',
      'The environment variable that holds the password. Default: POP3_PASSWORD',
    )
    .option(
      '--password-command <COMMAND>',
      'A command of the shell that prints the password. Default: you are asked',
    )
    .option('--token-env <NAME>', 'The environment variable that holds an OAuth token')
    .option('--token-command <COMMAND>', 'A command of the shell that prints an OAuth token')
    .option('--mechanism <NAME>', 'Log in by this only, such as SCRAM-SHA-256, USER, APOP or EXTERNAL')
    .option('--tls <MODE>', 'implicit (default), starttls (for port 110 and pop://), opportunistic, or off')
    .option(
      '--allow-plaintext',
      'Let the password out where nothing is encrypted: anybody on the way can read it',
    )
    .option('--ca <FILE>', 'Believe these authorities, PEM, instead of the known ones')
    .option('--fingerprint <SHA256>', 'Believe the certificate with this fingerprint alone. May be repeated')
    .option('--server-name <NAME>', 'The name that the certificate has to have. Default: HOST')
    .option(
      '--min-tls <VERSION>',
      'The oldest version, such as TLSv1 for servers that have nothing better. Default: TLSv1.2',
    )
    .option('--cert <FILE>', 'Your certificate, PEM, for servers that ask for one')
    .option('--key <FILE>', 'The key of your certificate, PEM')
    .option('--timeout <SECONDS>', 'How long to wait in each phase, such as the login')
    .option('--trace', 'Show the dialogue on the error output, with secrets masked');
}
