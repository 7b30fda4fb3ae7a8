import { describe, expect, it } from 'vitest';
import { inspector } from '../../../visualizations/inspector/inspector.js';
import { describeInChromium, screenshot } from './browser.js';
import { album, engineFor, manyTasks } from './runs.js';

describe('the inspector page', () => {
  describeInChromium((windows) => {
    it('shows a run while it goes on', async () => {
      const { flow, gates } = album({ held: ['sort', 'verify'] });
      const engine = await engineFor(flow);
      await using served = await inspector(engine, { showValues: true, refreshMs: 10 });
      const { page, complaints } = await windows.open(served.url);
      const running = engine.run();
      await page.locator('[aria-label="sort, task, running"]').waitFor();
      await screenshot(page, 'live');
      gates.get('sort')?.open();
      await page.locator('[aria-label="verify, task, running"]').click();
      await screenshot(page, 'live-2');
      gates.get('verify')?.open();
      await running;
      await page.locator('.top .pill.is-SUCCESS').first().waitFor();
      await screenshot(page, 'live-ended');
      expect(complaints).toEqual([]);
    });

    it('shows a thousand atoms', async () => {
      const engine = await engineFor(manyTasks(1000));
      await engine.run();
      await using served = await inspector(engine, { showValues: true });
      const { page, complaints } = await windows.open(served.url);
      await page.locator('.part').first().waitFor();
      const at = await page.evaluate(() => performance.getEntriesByName('flowstate-shown')[0]?.startTime);
      console.log('shown after', at);
      await screenshot(page, 'thousand');
      expect(complaints).toEqual([]);
    });
  });
});
