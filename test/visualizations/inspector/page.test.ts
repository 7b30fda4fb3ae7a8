import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { task } from '../../../src/atoms/function-task.js';
import type { Engine } from '../../../src/engines/engine.js';
import { graph } from '../../../src/flows/graph.js';
import { linear } from '../../../src/flows/linear.js';
import { inspector, inspectorPage, type InspectorOptions } from '../../../visualizations/inspector/inspector.js';
import { HOSTILE_NAMES } from '../hostile-names.js';
import { describeInChromium, screenshot } from './browser.js';
import { album, engineFor, manyTasks } from './runs.js';

/** A page for a run that ends itself with the test. */
async function serve(engine: Engine, options: InspectorOptions = {}) {
  const served = await inspector(engine, { showValues: true, refreshMs: 10, ...options });
  onTestFinished(async () => {
    await served.close();
    await engine.close();
  });
  return served;
}

/** The page of a run as a file. */
async function saved(engine: Engine): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-inspector-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'run.html');
  writeFileSync(file, await inspectorPage(engine, { showValues: true }));
  return pathToFileURL(file).href;
}

const atom = (page: Page, name: string, state: string) => page.locator(`[aria-label="${name}, task, ${state}"]`);
const slider = (page: Page) => page.getByRole('slider', { name: 'Moment of the run' });

describe('the inspector page', () => {
  describeInChromium((windows) => {
    it('shows a run while it goes on', async () => {
      const { flow, gates } = album({ held: ['sort', 'verify'] });
      const engine = await engineFor(flow);
      const served = await serve(engine);
      const { page, complaints } = await windows.open(served.url);
      await atom(page, 'sort', 'pending').waitFor();

      const running = engine.run();
      await atom(page, 'sort', 'running').waitFor();
      await atom(page, 'resize', 'success').waitFor();
      await page.getByRole('tab', { name: 'Why' }).click();
      await page.getByText('try again waits: it comes after sort').waitFor();

      gates.get('sort')?.open();
      await atom(page, 'verify', 'running').click();
      await page.locator('.values dd', { hasText: "'https://photos.example/42'" }).waitFor();
      await page.getByRole('tab', { name: 'Timeline' }).click();
      await screenshot(page, 'live');

      gates.get('verify')?.open();
      expect(await running).toBe('SUCCESS');
      await page.locator('.top > .pill.is-SUCCESS').waitFor();
      await atom(page, 'mail', 'success').waitFor();
      expect(complaints).toEqual([]);
    });

    it('shows what failed, what was undone, and every moment of it again', async () => {
      const { flow } = album({ failing: { verify: 2 } });
      const engine = await engineFor(flow);
      const served = await serve(engine);
      const running = engine.run();
      await expect(running).rejects.toThrow('verify could not reach photos.example');
      const { page, complaints } = await windows.open(served.url);
      await atom(page, 'send', 'reverted').waitFor();
      expect(complaints).toEqual([]);
      await screenshot(page, 'reverted');
    });

    it('shows a thousand atoms in less than two seconds', async () => {
      const engine = await engineFor(manyTasks(1000));
      const served = await serve(engine);
      await engine.run();
      const { page, complaints } = await windows.open(served.url);
      await page.locator('.part.task.is-SUCCESS').nth(999).waitFor();
      const at = await page.evaluate(() => performance.getEntriesByName('flowstate-shown')[0]?.startTime);
      expect(at).toBeLessThan(2000);
      console.log('shown after', at);
      await screenshot(page, 'thousand');
      await slider(page).fill('1500');
      await screenshot(page, 'thousand-past');
      expect(complaints).toEqual([]);
    });

    it('is light or dark, and fits a phone', async () => {
      const { flow } = album({ failing: { verify: 1 } });
      const engine = await engineFor(flow);
      const served = await serve(engine);
      await engine.run();
      const phone = { viewport: { width: 390, height: 844 }, hasTouch: true };
      const { page, complaints } = await windows.open(served.url, { ...phone, colorScheme: 'dark' });
      await atom(page, 'send', 'success').waitFor();
      await screenshot(page, 'phone');
      await atom(page, 'send', 'success').tap();
      await page.getByRole('button', { name: 'Details' }).tap();
      await screenshot(page, 'phone-details');
      await page.getByRole('button', { name: 'Timeline' }).tap();
      await screenshot(page, 'phone-timeline');
      await page.getByRole('button', { name: 'Journal' }).tap();
      await screenshot(page, 'phone-journal');
      const { page: wide } = await windows.open(served.url, { colorScheme: 'dark' });
      await atom(wide, 'send', 'success').click();
      await wide.getByRole('tab', { name: 'Journal' }).click();
      await slider(wide).fill('17');
      await screenshot(wide, 'dark');
      expect(complaints).toEqual([]);
    });

    it('is a file that needs nothing else', async () => {
      const flow = linear('hostile').add(
        ...HOSTILE_NAMES.map((name, at) =>
          task({
            name: `${name}${name === '' ? at : ''}`,
            provides: `p ${name}`,
            execute: () => `<img src=x onerror=alert(1)>${name}`,
          }),
        ),
      );
      const engine = await engineFor(flow);
      await engine.run();
      const { page, complaints } = await windows.open(await saved(engine));
      await page
        .locator('.part.task')
        .nth(HOSTILE_NAMES.length - 1)
        .waitFor();
      await screenshot(page, 'hostile');
      expect(complaints).toEqual([]);
    });
  });
});
