import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { differences } from '../src/compare.js';
import { corpus } from '../src/corpus.js';
import { describeWith, pathOf } from '../src/programs.js';
import { served } from '../src/server/served.js';
import { startThunderbird, type Thunderbird } from '../src/thunderbird.js';
import { type Account, startWorld, type World } from '../src/world.js';

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

const SECURITY = { plain: 0, STLS: 2, TLS: 3 } as const;

describeWith(['thunderbird'], 'Thunderbird', () => {
  const messages = served(corpus());
  let world: World;
  let thunderbird: Thunderbird;

  beforeAll(async () => {
    world = await startWorld();
    const { home } = await world.account([]);
    thunderbird = await startThunderbird(pathOf('thunderbird')!, home);
  });
  afterAll(async () => {
    await thunderbird?.close();
    await world?.close();
  });

  async function getMail({ user, password }: Account, security: keyof typeof SECURITY, leave: boolean) {
    const port = security === 'TLS' ? world.server.tlsPort : world.server.port;
    const pem = await readFile(world.certificate, 'utf8');
    const base64 = pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
    return thunderbird.script(GET_MAIL, [user, password, port, SECURITY[security], leave, base64]);
  }

  it.each(['plain', 'STLS', 'TLS'] as const)(
    'reads every message octet by octet over %s',
    async (security) => {
      const account = await world.account(messages);
      const got = await getMail(account, security, true);
      console.log(got);
    },
  );
});
