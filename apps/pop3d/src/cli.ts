#!/usr/bin/env node
import { run } from './program.js';

// What is still open by then, such as an idle pool of threads, is of no use any more.
process.exit(await run(process.argv.slice(2)));
