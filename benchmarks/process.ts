import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job, Measurement } from './measure.js';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
const LONGEST_RUN_MS = 600_000;
const MOST_OF_ERROR = 2_000;

/**
 * Measures in a fresh process.
 *
 * @throws {Error} with what the process wrote on stderr, when it did not come to a measurement.
 */
export function measureInProcess(job: Job): Promise<Measurement> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [JSON.stringify(job)], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      timeout: LONGEST_RUN_MS,
    });
    let complaint = '';
    let measurement: Measurement | null = null;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, MOST_OF_ERROR);
    });
    child.on('message', (message) => {
      measurement = message as Measurement;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (measurement !== null && code === 0) resolve(measurement);
      else reject(new Error(`The process ended with ${signal ?? `exit code ${code}`}: ${complaint.trim()}`));
    });
  });
}
