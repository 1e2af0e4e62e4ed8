import { COURIER } from '../src/peers/courier.js';
import { describePeer, putThroughEverything } from '../src/peers/describe-peer.js';

describePeer(COURIER, ['python3', 'unshare'], () => putThroughEverything(COURIER));
