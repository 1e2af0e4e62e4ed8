import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Summary } from '../src/compare.js';
import { type CorpusMessage, corpus } from '../src/corpus.js';
import { pairUp } from '../src/delivered.js';
import { describeWith, pathOf } from '../src/programs.js';
import { served } from '../src/server/served.js';
import { SERVER } from '../src/server.js';
import { startThunderbird, type Thunderbird } from '../src/thunderbird.js';
import { type Account, SECURITIES, type Security, startWorld, type World } from '../src/world.js';

/** Sets up an account, gets its mail into the inbox and answers with the number of messages there. */
const GET_MAIL = `
const [user, password, port, socketType, leave, certificate, done] = arguments;
(async () => {
  const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs');
  if (socketType !== 0) {
    const database = Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB);
    const overrides = Cc['@mozilla.org/security/certoverride;1'].getService(Ci.nsICertOverrideService);
    overrides.rememberValidityOverride('localhost', port, {}, database.constructX509FromBase64(certificate), true);
  }
  const login = Cc['@mozilla.org/login-manager/loginInfo;1'].createInstance(Ci.nsILoginInfo);
  login.init('mailbox://localhost', null, 'mailbox://localhost', user, password, '', '');
  await Services.logins.addLoginAsync(login);
  const server = MailServices.accounts.createIncomingServer(user, 'localhost', 'pop3');
  server.port = port;
  server.socketType = socketType;
  server.authMethod = 3;
  server.QueryInterface(Ci.nsIPop3IncomingServer).leaveMessagesOnServer = leave;
  const account = MailServices.accounts.createAccount();
  account.addIdentity(MailServices.accounts.createIdentity());
  account.incomingServer = server;
  const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
  const status = await new Promise((resolve) => {
    const listener = { OnStartRunningUrl() {}, OnStopRunningUrl: (url, code) => resolve(code) };
    MailServices.pop3.GetNewMail(null, listener, inbox, server);
  });
  return { status, path: inbox.filePath.path, count: [...inbox.messages].length };
})().then(done, (error) => done({ error: String(error) + error.stack }));
`;

/** Values of nsMsgSocketType. */
const SOCKET_TYPES = { plain: 0, STLS: 2, TLS: 3 } as const;

/** The lines Thunderbird puts before a message it stores. */
const OWN_LINES = /^(?:X-(?:Account-Key|UIDL|Mozilla-[A-Za-z0-9-]+):[^\n]*\n)+/;

function afterThunderbird({ name, wire }: CorpusMessage): [string, Buffer] {
  return [name, Buffer.from(wire.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')];
}

describeWith(['thunderbird'], 'Thunderbird', () => {
  const messages = served(corpus());
  const small = messages.filter((message) => message.octets < 100_000);
  const summary = new Summary('Thunderbird');
  let world: World;
  let thunderbird: Thunderbird;

  beforeAll(async () => {
    // At this level each command is in the log, with secrets masked.
    world = await startWorld({ configuration: () => '[log]\nlevel = "debug"\n' });
    const { home } = await world.account([]);
    thunderbird = await startThunderbird(pathOf('thunderbird')!, home);
  });
  afterAll(async () => {
    try {
      await thunderbird?.close();
    } finally {
      await world?.close();
    }
    summary.print();
  });

  async function getMail(account: Account, security: Security, leave: boolean): Promise<Buffer[]> {
    const pem = await readFile(world.certificate, 'utf8');
    const certificate = pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
    const { user, password } = account;
    const args = [user, password, world.port(security), SOCKET_TYPES[security], leave, certificate];
    const got = (await thunderbird.script(GET_MAIL, args)) as {
      status: number;
      path: string;
      error?: string;
    };
    expect(got).toMatchObject({ status: 0 });
    const folder = join(got.path, 'cur');
    const names = await readdir(folder);
    const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')));
    return files.map((file) => Buffer.from(file.replace(OWN_LINES, ''), 'latin1'));
  }

  it.each(SECURITIES)('reads every message octet by octet over %s', async (security) => {
    // It spends half a minute on the big ones when the connection is encrypted and the machine is busy.
    const account = await world.account(security === 'plain' ? messages : small);
    const logged = world.server.log().length;
    const files = await getMail(account, security, true);
    if (SERVER === 'pop3d') expect(world.server.log().slice(logged)).toContain('"command":"AUTH PLAIN"');
    expect(
      summary.compared(`${security}, keep`, pairUp(account.messages.map(afterThunderbird), files)),
    ).toEqual([]);
    expect(await account.remaining()).toHaveLength(account.messages.length);
  });

  it('reads every message and deletes it', async () => {
    const account = await world.account(small);
    const files = await getMail(account, 'plain', false);
    expect(summary.compared('plain, delete', pairUp(small.map(afterThunderbird), files))).toEqual([]);
    expect(await account.remaining()).toEqual([]);
  });
});
