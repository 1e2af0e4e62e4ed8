import { describePeer, putThroughEverything } from '../src/peers/describe-peer.js';
import { POP3D } from '../src/peers/pop3d.js';

describePeer(POP3D, [], () => putThroughEverything(POP3D));
