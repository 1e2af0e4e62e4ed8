import { describePeer, putThroughEverything } from '../src/peers/describe-peer.js';
import { POPA3D } from '../src/peers/popa3d.js';

describePeer(POPA3D, ['python3', 'unshare'], () => putThroughEverything(POPA3D));
