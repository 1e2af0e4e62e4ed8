import { describePeer, putThroughEverything } from '../src/peers/describe-peer.js';
import { DOVECOT } from '../src/peers/dovecot.js';

describePeer(DOVECOT, ['dovecot'], () => putThroughEverything(DOVECOT));
