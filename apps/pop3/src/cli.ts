#!/usr/bin/env node
import { EXIT, Failure } from './failure.js';
import { interruption } from './interruption.js';
import { outputFailure, standardOutput } from './output.js';
import { run } from './program.js';

const { stdin: input, stderr: error } = process;
const output = standardOutput();
let exitCode = await run(process.argv.slice(2), { input, output, error }, interruption(output));

// What is written to a pipe may still be on its way, and whether it could be written may be known only then.
if (!output.errored) await new Promise((resolve) => output.write('', resolve));
const failure = output.errored && outputFailure(output.errored);
if (failure instanceof Failure && exitCode === EXIT.ok) {
  error.write(`pop3: ${failure.message}\n`);
  exitCode = failure.exitCode;
}
// What is still open by then, such as the standard input, is of no use any more.
process.exit(exitCode);
