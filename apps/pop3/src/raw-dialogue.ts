import type { MessageBody, Pop3Client } from '@pop3/client-node';
import { type Command, isPop3Error, parseCommand } from '@pop3/core';
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
    try {
      if (parsed.ok) return await this.#known(parsed.command);
      if (parsed.verb === null) await this.#other(line);
      else say(this.#call, `not sent: ${parsed.problem}`);
    } catch (error) {
      if (!isPop3Error(error)) throw error;
      if (error.code === 'POP3_USAGE' || error.code === 'POP3_UNSUPPORTED')
        say(this.#call, `not sent: ${error.message}`);
      else if (error.code !== 'POP3_REFUSED') throw error;
    }
    return 'goes on';
  }

  async #known(command: Command): Promise<'goes on' | 'over'> {
    const client = this.#client;
    switch (command.verb) {
      case 'QUIT':
        await client.quit();
        return 'over';
      case 'DELE':
        client.delete(command.messageNumber);
        say(this.#call, 'marked; DELE is sent before QUIT');
        break;
      case 'RETR':
        await this.#showBody(client.retrieve(command.messageNumber));
        break;
      case 'TOP':
        await this.#showBody(client.top(command.messageNumber, command.lines));
        break;
      case 'LIST':
        if (command.messageNumber === null) await this.#showTable(await client.list());
        else await client.list(command.messageNumber);
        break;
      case 'UIDL':
        if (command.messageNumber === null) await this.#showTable(await client.uniqueIds());
        else await client.uniqueIds(command.messageNumber);
        break;
      case 'CAPA':
        await this.#showTable(await client.capabilities());
        break;
      case 'STAT':
        await client.stat();
        break;
      case 'NOOP':
        await client.noop();
        break;
      case 'RSET':
        await client.reset();
        break;
      default:
        say(this.#call, `not sent: ${command.verb} is done by --user, --mechanism and --tls`);
    }
    return 'goes on';
  }

  async #other(line: string): Promise<void> {
    const [, keyword = '', argument = null] = /^(\S+)(?: (.*))?$/.exec(line) ?? [];
    const multiline = this.#multiline.has(keyword.toUpperCase());
    const { body } = await this.#client.command(keyword, argument, { multiline });
    if (body !== null) await this.#showBody(body);
  }

  /** Lines as they were understood. */
  async #showTable(rows: ReadonlyMap<unknown, unknown> | null): Promise<void> {
    for (const [first, rest] of rows ?? []) await this.#show([first, rest].flat().join(' '));
    await this.#show('.');
  }

  async #showBody(body: MessageBody): Promise<void> {
    await printBody(this.#call, body);
    await this.#show('.');
  }

  async #show(line: string): Promise<void> {
    await write(this.#call.terminal.output, `${visible(line)}\n`, this.#call.signal);
  }
}
