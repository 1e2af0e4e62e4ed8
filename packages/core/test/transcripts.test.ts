import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseTranscript } from './transcript.js';
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
