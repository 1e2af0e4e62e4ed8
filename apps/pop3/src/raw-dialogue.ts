import type { MessageBody, Pop3Client } from '@pop3/client-node';
import { isPop3Error, parseCommand } from '@pop3/core';
import type { Call } from './call.js';
import { printBody } from './destination/standard-output.js';
import { write } from './output.js';
import { say } from './say.js';
import { visible } from './visible.js';

/** Lines of a person, each sent as the command that it is. Status lines are shown by the trace of the client. */
export class RawDialogue {
  readonly #call: Call;
  readonly #client: Pop3Client;
  /** Keywords of extensions that are answered with lines. */
  readonly #multiline: ReadonlySet<string>;

  constructor(call: Call, client: Pop3Client) {
    this.#call = call;
    this.#client = client;
    this.#multiline = new Set(call.line.values('multiline').map((keyword) => keyword.toUpperCase()));
  }

  /** Sends a line, and shows what is answered. A refusal is an answer like others. */
  async say(line: string): Promise<'goes on' | 'over'> {
    if (line.trim() === '') return 'goes on';
    const parsed = parseCommand(Buffer.from(line));
    const verb = parsed.ok ? parsed.command.verb : null;
    try {
      switch (verb) {
        case 'QUIT':
          await this.#client.quit();
          return 'over';
        case 'RSET':
          await this.#client.reset();
          return 'goes on';
        case 'USER':
        case 'PASS':
        case 'APOP':
        case 'AUTH':
        case 'STLS':
          say(this.#call, `not sent: ${verb} is done by --user, --mechanism and --tls`);
          return 'goes on';
      }
      if (parsed.ok && parsed.command.verb === 'DELE') {
        this.#client.delete(parsed.command.messageNumber);
        say(this.#call, 'marked; DELE is sent before QUIT');
      } else {
        await this.#send(line);
      }
    } catch (error) {
      if (!isPop3Error(error)) throw error;
      if (error.code === 'POP3_USAGE' || error.code === 'POP3_UNSUPPORTED')
        say(this.#call, `not sent: ${error.message}`);
      else if (error.code !== 'POP3_REFUSED') throw error;
    }
    return 'goes on';
  }

  async #send(line: string): Promise<void> {
    const [, keyword = '', argument = null] = /^(\S+)(?: (.*))?$/.exec(line) ?? [];
    const multiline = this.#multiline.has(keyword.toUpperCase());
    const { body } = await this.#client.command(keyword, argument, { multiline });
    if (body !== null) await this.#showBody(body);
  }

  async #showBody(body: MessageBody): Promise<void> {
    await printBody(this.#call, body);
    await this.#show('.');
  }

  async #show(line: string): Promise<void> {
    await write(this.#call.terminal.output, `${visible(line)}\n`, this.#call.signal);
  }
}
