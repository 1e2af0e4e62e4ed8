#!/usr/bin/env node
import { interruption } from './interruption.js';
import { run } from './program.js';

const { stdin: input, stdout: output, stderr: error } = process;
const exitCode = await run(process.argv.slice(2), { input, output, error }, interruption());

// What is written to a pipe may still be on its way.
if (output.writableLength > 0) await new Promise((resolve) => output.write('', resolve));
// What is still open by then, such as the standard input, is of no use any more.
process.exit(exitCode);
