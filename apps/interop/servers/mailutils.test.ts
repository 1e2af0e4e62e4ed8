import { describePeer, putThroughEverything } from '../src/peers/describe-peer.js';
import { MAILUTILS } from '../src/peers/mailutils.js';

describePeer(MAILUTILS, ['python3', 'unshare'], () => putThroughEverything(MAILUTILS));
