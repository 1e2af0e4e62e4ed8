import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { onTestFinished } from 'vitest';
import {
  CHANNELS,
  type ConnectionInfo,
  type FaultEvent,
  type ListenerFailedEvent,
  type LoginRefusedEvent,
  type RejectedEvent,
  type SessionEvent,
  type TraceEvent,
} from '../src/index.js';

interface Events {
  connected: ConnectionInfo;
  listenerFailed: ListenerFailedEvent;
  rejected: RejectedEvent;
  loginRefused: LoginRefusedEvent;
  session: SessionEvent;
  fault: FaultEvent;
  trace: TraceEvent;
}

/** Everything published on a channel of this package until the test is over. */
export function record<Name extends keyof typeof CHANNELS>(name: Name): Events[Name][] {
  const events: Events[Name][] = [];
  const listener = (event: unknown) => void events.push(event as Events[Name]);
  subscribe(CHANNELS[name], listener);
  onTestFinished(() => void unsubscribe(CHANNELS[name], listener));
  return events;
}

/** The next event of a channel for which `wanted` holds. */
export function next<Name extends keyof typeof CHANNELS>(
  name: Name,
  wanted: (event: Events[Name]) => boolean = () => true,
): Promise<Events[Name]> {
  return new Promise((resolve) => {
    const listener = (event: unknown) => {
      if (!wanted(event as Events[Name])) return;
      unsubscribe(CHANNELS[name], listener);
      resolve(event as Events[Name]);
    };
    subscribe(CHANNELS[name], listener);
  });
}
