import { runCommand } from './command.js';

// Who reads what is said may stop reading: that is no reason to stop publishing.
process.stdout.on('error', () => {});

process.exitCode = await runCommand(process.argv.slice(2), process.stdout, process.stderr);
