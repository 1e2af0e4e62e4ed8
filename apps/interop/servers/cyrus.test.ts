import { CYRUS } from '../src/peers/cyrus.js';
import { describePeer, putThroughEverything } from '../src/peers/describe-peer.js';

describePeer(CYRUS, ['python3', 'unshare'], () => putThroughEverything(CYRUS));
