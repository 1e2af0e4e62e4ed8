import { staticUsers } from '@pop3/auth-node';
import { memoryStore } from '@pop3/store-memory';
import { WebSocketServer } from 'ws';
import { pop3OverWebSocket } from './pop3-over-web-socket.js';

const store = memoryStore();
store.deliver('ann', new TextEncoder().encode('Subject: hello\n\nThis came through a WebSocket.\n'));
const authenticator = staticUsers({ ann: 'secret' });

const port = Number(process.argv[2] ?? 8110);
const server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: 65_536 });
server.on('listening', () => console.log(`listening ws://127.0.0.1:${port}`));
server.on('connection', (socket) => void pop3OverWebSocket(socket, { store, authenticator }));
