import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CompiledSources, compileSources } from './compiled-sources.js';

describe('a process that serves the page of its run', () => {
  let sources: CompiledSources;
  beforeAll(() => (sources = compileSources()) && undefined);
  afterAll(() => sources[Symbol.dispose]());

  it('ends with its work, whoever looks', async () => {
    const program = sources.pathOf('test/scenarios/programs/inspected-run.ts');
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const url = String((await lines.next()).value);
    const watching = await fetch(`${url}events`);
    const reader = watching.body!.getReader();
    expect((await reader.read()).done).toBe(false);
    child.stdin.write('go\n');
    expect((await lines.next()).value).toBe('SUCCESS');
    expect(await exited).toEqual([0, null]);
    await reader.cancel().catch(() => undefined);
  });
});
