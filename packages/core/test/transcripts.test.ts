import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseTranscript } from './transcript.js';
import { runOnClient, type Unsaid } from './transcript-client.js';
import { canBeServed, isEmptyCommit, runOnServe } from './transcript-serve.js';
import { runOnSession } from './transcript-server.js';

const folder = new URL('transcripts/', import.meta.url);
const transcripts = readdirSync(folder)
  .filter((file) => file.endsWith('.transcript'))
  .map((file) => parseTranscript(file, readFileSync(new URL(file, folder), 'utf8')));

describe('ServerSession', () => {
  for (const transcript of transcripts) {
    it(`${transcript.name}: ${transcript.title}`, () => {
      const whole = runOnSession(transcript, 'whole');
      expect(runOnSession(transcript, 'line by line')).toEqual(whole);
      expect(runOnSession(transcript, 'octet by octet')).toEqual(whole);
    });
  }
});

describe('serve', () => {
  for (const transcript of transcripts.filter(canBeServed)) {
    it(`${transcript.name}, with adapters that answer at once, and with those that do not`, async () => {
      const { output, requests, closed } = runOnSession(transcript, 'whole');
      const asked = requests.filter((request) => !isEmptyCommit(request));
      // Where a transcript ends with the session open, the channel ends.
      const expected = { output, requests: asked, closed: closed ?? 'peer-closed' };
      expect(await runOnServe(transcript, 'whole', false)).toEqual(expected);
      expect(await runOnServe(transcript, 'octet by octet', true)).toEqual(expected);
    });
  }
});

/** Lines that no client says, by transcript; all others are said, to the last octet. */
const UNSAID: Record<Unsaid, Record<string, number>> = {
  malformed: {
    'apop-arguments': 8,
    'arguments-authorization': 7,
    'arguments-transaction': 45,
    'auth-bad-base64': 33,
    'auth-plain-pipelined-wrong': 2,
    'auth-unknown-mechanism': 3,
    'autologout-after-dele': 1,
    'bare-carriage-returns': 5,
    'bare-line-feeds': 1,
    'binary-garbage': 4,
    'eof-in-mid-command': 1,
    'eof-in-mid-sasl': 1,
    'eof-in-place-of-a-line-end': 1,
    'line-above-the-ceiling': 2,
    'line-too-long': 4,
    'line-too-long-forgets-user': 1,
    'line-without-an-end': 1,
    'matrix-authorization-clear': 1,
    'pass-in-latin1': 2,
    'pass-without-a-password': 1,
    'too-many-bad-commands': 1,
    top: 1,
    'user-longer-than-40': 1,
    'user-refused-in-the-clear': 1,
    'user-without-a-name': 4,
  },
  'wrong state': {
    'auth-plain-with-initial-response': 1,
    'auth-scram-cancelled': 1,
    'matrix-after-user': 7,
    'matrix-authorization-clear': 10,
    'matrix-authorization-clear-allowed': 8,
    'matrix-authorization-tls': 9,
    'matrix-transaction': 7,
    'pipelined-after-failed-login': 2,
    stls: 2,
    'stls-twice': 1,
    'too-many-bad-commands': 1,
    'user-kept-over-capa': 1,
  },
  'behind a barrier': {
    'quit-ends-the-input': 2,
    'stls-injected-command': 3,
    'stls-injected-endless-line': 1,
    'stls-injected-half-a-command': 2,
  },
};

/** Lines that a client says in the form of the RFC: verbs in upper case, one space, CRLF. */
const OTHER_FORM: Record<string, number> = {
  'apop-arguments': 1,
  'arguments-authorization': 1,
  'arguments-tolerated': 14,
  'auth-list': 2,
  'auth-login-with-initial-response': 1,
  'auth-unknown-mechanism': 1,
  'bare-line-feeds': 5,
  'line-too-long-in-transaction': 2,
  'pass-lower-case': 5,
  'user-with-spaces': 1,
};

describe('ClientSession', () => {
  for (const transcript of transcripts) {
    it(`${transcript.name}: ${transcript.title}`, () => {
      const whole = runOnClient(transcript, 'whole');
      expect(runOnClient(transcript, 'line by line')).toEqual(whole);
      expect(runOnClient(transcript, 'octet by octet')).toEqual(whole);
      expect(runOnClient(transcript, 'tersely').written).toEqual(whole.written);
    });
  }

  it('says every line of the transcripts but those that no client says', () => {
    const unsaid: typeof UNSAID = { malformed: {}, 'wrong state': {}, 'behind a barrier': {} };
    const otherForm: typeof OTHER_FORM = {};
    for (const transcript of transcripts) {
      const outcome = runOnClient(transcript, 'whole');
      const name = transcript.name.replace('.transcript', '');
      for (const reason of outcome.unsaid) unsaid[reason][name] = (unsaid[reason][name] ?? 0) + 1;
      if (outcome.otherForm > 0) otherForm[name] = outcome.otherForm;
    }
    expect(unsaid).toEqual(UNSAID);
    expect(otherForm).toEqual(OTHER_FORM);
  });
});
