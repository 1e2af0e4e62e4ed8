/** A client session by hand, told as text: one line for each thing that it does. */
import type { ClientSessionOptions } from '../src/client/options.js';
import { type ClientAction, ClientSession } from '../src/client/session.js';
import type { ClientCommand } from '../src/command.js';
import { latin1, octets } from './stored-message.js';

export class ClientTalk {
  readonly session: ClientSession;

  constructor(options: ClientSessionOptions = {}) {
    this.session = new ClientSession(options);
  }

  /** A session whose server has greeted. */
  static greeted(options: ClientSessionOptions = {}): ClientTalk {
    const talk = new ClientTalk(options);
    talk.hear('+OK\r\n');
    return talk;
  }

  /** A session in TRANSACTION. */
  static loggedIn(options: ClientSessionOptions = {}): ClientTalk {
    const talk = ClientTalk.greeted(options);
    talk.say({ verb: 'USER', name: 'ann' }, { verb: 'PASS', password: 'secret' });
    talk.hear('+OK\r\n+OK\r\n');
    return talk;
  }

  /** What happens when the server says this, up to where the session waits for more. */
  hear(...chunks: readonly string[]): string[] {
    return chunks.flatMap((chunk) => {
      this.session.receive(octets(chunk));
      return this.told();
    });
  }

  say(...commands: readonly ClientCommand[]): string[] {
    for (const command of commands) this.session.send(command);
    return this.told();
  }

  end(): string[] {
    this.session.receiveEnd();
    return this.told();
  }

  told(): string[] {
    const told: string[] = [];
    for (;;) {
      const action = this.session.next();
      if (action.type === 'read' || action.type === 'wait') return told;
      told.push(inWords(action));
      if (action.type === 'close' || action.type === 'upgrade-tls') return told;
    }
  }
}

function inWords(action: ClientAction): string {
  switch (action.type) {
    case 'write':
      return `wrote ${latin1(action.octets)}`;
    case 'greeting':
      return `greeting ${action.status.status} ${action.apopTimestamp ?? ''}`.trimEnd();
    case 'response': {
      const { command, status, multiline } = action;
      return `${command.verb ?? command.keyword} ${status.status}${multiline ? ' ...' : ''}`;
    }
    case 'body':
      return `| ${latin1(action.octets)}`;
    case 'body-end':
      return '.';
    case 'challenge':
      return `+ ${latin1(action.challenge)}`;
    case 'close':
      return `close ${action.failure}`;
    default:
      return action.type;
  }
}
