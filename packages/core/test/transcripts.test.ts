import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseTranscript } from './transcript.js';
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
