#!/usr/bin/env node
import { runCli } from './cli.js';
import { processPlatform } from './platform.js';

// Who reads what is said may stop reading: that is no reason to stop.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const code = await runCli(process.argv.slice(2), processPlatform());
// What a module has left open, such as a pool of connections, does not keep the command from ending.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
