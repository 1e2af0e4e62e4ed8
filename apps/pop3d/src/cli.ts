#!/usr/bin/env node
import { run } from './program.js';

// Whoever read the output, or the log, has gone. Mail is served without.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

// What is still open by then, such as an idle pool of threads, is of no use any more.
process.exit(await run(process.argv.slice(2)));
