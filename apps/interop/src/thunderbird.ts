import { mkdir, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { startProcess } from './server/process.js';

/** A Thunderbird without a window, steered through Marionette, the remote protocol of Mozilla programs. */
export interface Thunderbird {
  /**
   * Runs an asynchronous function body inside Thunderbird, with its internal interfaces in reach. `args` are its
   * `arguments`, and the last of them is the callback that takes the result.
   *
   * @throws Error with what Thunderbird says.
   */
  script(body: string, args: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Nothing that asks, reports, updates or reaches beyond this machine. */
const PREFERENCES = {
  'marionette.port': 0,
  'mail.provider.suppress_dialog_on_startup': true,
  'mail.spotlight.firstRunDone': true,
  'mail.shell.checkDefaultClient': false,
  'mail.serverDefaultStoreContractID': '@mozilla.org/msgstore/maildirstore;1',
  'mailnews.start_page.enabled': false,
  'app.update.enabled': false,
  'app.donation.eoy.version.viewed': 9999,
  'toolkit.telemetry.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'extensions.update.enabled': false,
  'services.settings.server': 'http://127.0.0.1:1/',
};

/** Starts `program` with a fresh profile in `home`. */
export async function startThunderbird(program: string, home: string): Promise<Thunderbird> {
  const profile = join(home, 'profile');
  await mkdir(profile, { recursive: true });
  const lines = Object.entries(PREFERENCES).map(
    ([key, value]) => `user_pref("${key}", ${JSON.stringify(value)});\n`,
  );
  await writeFile(join(profile, 'user.js'), lines.join(''));
  const flags = ['--headless', '--marionette', '--remote-allow-system-access', '--no-remote'];
  const environment = { HOME: home, MOZ_HEADLESS: '1', XDG_RUNTIME_DIR: home };
  const { process, found: port } = await startProcess(
    program,
    [...flags, '--profile', profile],
    (printed) => /Listening on port (\d+)/.exec(printed)?.[1],
    environment,
  );
  const marionette = await Marionette.connect(Number(port));
  await marionette.call('WebDriver:NewSession', {
    capabilities: { alwaysMatch: { timeouts: { script: 120_000 } } },
  });
  await marionette.call('Marionette:SetContext', { value: 'chrome' });
  return {
    script: (body, args) => marionette.call('WebDriver:ExecuteAsyncScript', { script: body, args }),
    async close() {
      marionette.close();
      // The profile is thrown away: there is nothing to wait for.
      await process.kill();
    },
  };
}

/** Numbered commands and their replies, each as JSON behind its length in octets and a colon. */
class Marionette {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: readonly unknown[]) => void>();
  #input = Buffer.alloc(0);
  #serial = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#input = Buffer.concat([this.#input, chunk]);
      this.#read();
    });
    socket.on('close', () => {
      for (const answer of this.#waiting.values()) answer([1, 0, { message: 'Thunderbird hung up' }, null]);
    });
  }

  /** Resolves once the server has introduced itself. */
  static async connect(port: number): Promise<Marionette> {
    const socket = connect(port, '127.0.0.1');
    const marionette = new Marionette(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      // The introduction is an object and has no number.
      marionette.#waiting.set(0, () => resolve());
    });
    return marionette;
  }

  async call(name: string, params: object): Promise<unknown> {
    const id = ++this.#serial;
    const text = JSON.stringify([0, id, name, params]);
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    const [, , error, result] = await new Promise<readonly unknown[]>((resolve) =>
      this.#waiting.set(id, resolve),
    );
    if (error !== null) throw new Error(`${name}: ${(error as { message: string }).message}`);
    return (result as { value?: unknown }).value;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(): void {
    for (;;) {
      const colon = this.#input.indexOf(0x3a);
      if (colon === -1) return;
      const end = colon + 1 + Number(this.#input.subarray(0, colon).toString());
      if (this.#input.length < end) return;
      const message: unknown = JSON.parse(this.#input.subarray(colon + 1, end).toString());
      this.#input = this.#input.subarray(end);
      const reply: readonly unknown[] = Array.isArray(message) ? message : [1, 0, null, null];
      const id = reply[1] as number;
      this.#waiting.get(id)?.(reply);
      this.#waiting.delete(id);
    }
  }
}
