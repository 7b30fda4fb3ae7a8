import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { settled } from '../../../src/testing/virtual-environment.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is in use when everything that nobody needs is gone, in MiB. */
export async function heapInUseMb(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await settled();
    collect();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}
