import { expect } from 'vitest';
import type { createMachine } from 'xstate';

export type Config = Parameters<typeof createMachine>[0];

/** What a module exports that exports one thing. */
export async function onlyExportOf(url: string): Promise<unknown> {
  const exported: unknown = await import(/* @vite-ignore */ url);
  const values: unknown[] = Object.values(exported as object);
  expect(values).toHaveLength(1);
  return values[0];
}

/** What the text gives to `createMachine`. */
export async function configIn(text: string): Promise<Config> {
  const module = text.replace("import { createMachine } from 'xstate';\n", '').replace('= createMachine(', '= (');
  return (await onlyExportOf(`data:text/javascript,${encodeURIComponent(module)}`)) as Config;
}
