import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { task } from '../../../src/atoms/function-task.js';
import type { Engine } from '../../../src/engines/engine.js';
import type { Flow } from '../../../src/flows/flow.js';
import { graph } from '../../../src/flows/graph.js';
import { linear } from '../../../src/flows/linear.js';
import { virtualEnvironment } from '../../../src/testing/virtual-environment.js';
import { memoryBackend } from '../../../src/persistence/backends/memory.js';
import type { InspectorOptions } from '../../../visualizations/inspector/inspector.js';
import { inspector, inspectorPage, storedInspector } from '../../../visualizations/inspector/inspector.js';
import type { Inspector } from '../../../visualizations/inspector/server.js';
import { HOSTILE_NAMES } from '../hostile-names.js';
import { describeInChromium, screenshot } from './browser.js';
import { album, engineFor, manyTasks } from './runs.js';

/** The page of an engine, both closed with the test. */
async function serve(engine: Engine, options: InspectorOptions = {}): Promise<Inspector> {
  const served = await inspector(engine, { showValues: true, refreshMs: 10, ...options });
  onTestFinished(async () => {
    await served.close();
    await engine.close();
  });
  return served;
}

/** A text as a file, to be opened by its address. */
function asFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-inspector-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'run.html');
  writeFileSync(file, text);
  return pathToFileURL(file).href;
}

const withJournal = (flow: Flow) => engineFor(flow, { journal: true });
const atom = (page: Page, name: string, state: string, kind = 'task') =>
  page.locator(`.graph [aria-label="${name}, ${kind}, ${state}"]`);
const slider = (page: Page) => page.getByRole('slider', { name: 'Moment of the run' });
const details = (page: Page) => page.getByRole('complementary', { name: 'Details' });
const currentState = (page: Page) => details(page).locator('.chart-frame .chart-state.current text').textContent();
const value = (page: Page, argument: string) =>
  details(page)
    .locator('.values > div', { has: page.locator('dt', { hasText: argument }) })
    .locator('dd');

/** From when a page is asked for until its graph is drawn, in milliseconds. */
async function layoutTime(page: Page): Promise<number> {
  await page.locator('.graph .part.task.is-SUCCESS').nth(999).waitFor();
  return page.evaluate<number>(`performance.getEntriesByName('flowstate-shown')[0].startTime`);
}

/** Entries of the journal that are about one atom and its new state, by number. */
async function entryOf(engine: Engine, name: string, to: string, time = 0): Promise<number> {
  const entries = (await engine.journal()).filter(({ entity, to: state }) => entity.name === name && state === to);
  return entries[time]!.sequence;
}

describe('the inspector page', () => {
  describeInChromium((windows) => {
    it('shows a run while it goes on', async () => {
      const { flow, gates } = album({ held: ['sort', 'verify'] });
      const engine = await withJournal(flow);
      const { page, complaints } = await windows.open((await serve(engine)).url);
      await atom(page, 'sort', 'pending').waitFor();

      const running = engine.run();
      await atom(page, 'sort', 'running').waitFor();
      await atom(page, 'resize', 'success').waitFor();
      await page.getByRole('tab', { name: 'Why' }).click();
      await page.getByText('try again waits: it comes after sort').waitFor();
      expect(await currentState(page)).toBe('WAITING');

      gates.get('sort')?.open();
      await atom(page, 'verify', 'running').click();
      expect(await value(page, 'address').first().textContent()).toBe("'https://photos.example/42'");
      await expect.poll(() => currentState(page)).toBe('RUNNING');
      await page.getByRole('tab', { name: 'Timeline' }).click();
      await page.locator('.time-row.selected .bar.open.is-RUNNING').waitFor();
      await screenshot(page, 'live');

      gates.get('verify')?.open();
      expect(await running).toBe('SUCCESS');
      await page.locator('.top > .pill.is-SUCCESS').waitFor();
      await atom(page, 'mail', 'success').waitFor();
      expect(await currentState(page)).toBe('SUCCESS');
      expect(complaints).toEqual([]);
    });

    it('shows what failed and was undone, and any moment of it again', async () => {
      const engine = await withJournal(album({ failing: { verify: 2 } }).flow);
      await expect(engine.run()).rejects.toThrow('verify could not reach photos.example');
      const { page, complaints } = await windows.open((await serve(engine)).url);
      await atom(page, 'send', 'reverted').waitFor();
      await page.locator('.top > .pill.is-REVERTED').waitFor();
      await screenshot(page, 'reverted');

      await slider(page).fill(String(await entryOf(engine, 'verify', 'FAILURE')));
      await atom(page, 'verify', 'failure').click();
      await atom(page, 'mail', 'pending').waitFor();
      await page.locator('.top > .pill.is-RUNNING').waitFor();
      await details(page).getByText('Error: verify could not reach photos.example').first().waitFor();
      expect(await currentState(page)).toBe('FAILURE');
      await page.getByRole('tab', { name: 'Why' }).click();
      await page.getByText('send waits: first has to be undone verify').waitFor();
      await page.getByRole('tab', { name: 'Journal' }).click();
      const current = page.getByRole('option', { selected: true });
      await expect.poll(() => current.textContent()).toMatch(/verify.*failure.*could not reach/);
      await screenshot(page, 'past');

      await slider(page).fill(String(await entryOf(engine, 'try again', 'RETRYING')));
      await atom(page, 'try again', 'retrying', 'retry').click();
      await atom(page, 'verify', 'reverted').waitFor();
      expect(await currentState(page)).toBe('RETRYING');
      await page.getByRole('button', { name: 'Show the run' }).click();
      expect(await currentState(page)).toBe('SCHEDULING');

      await page.getByRole('button', { name: 'Now' }).click();
      await atom(page, 'verify', 'reverted').waitFor();
      expect(await currentState(page)).toBe('REVERTED');
      expect(complaints).toEqual([]);
    });

    it('does not show a value at a moment that it was not of', async () => {
      const engine = await withJournal(album({ failing: { verify: 1 } }).flow);
      await engine.run();
      const { page } = await windows.open((await serve(engine)).url);
      await atom(page, 'send', 'success').click();
      const result = () => value(page, 'address').textContent();
      expect(await result()).toBe("'https://photos.example/42'");
      await slider(page).fill('1');
      await expect.poll(result).toBe('none yet');
      await slider(page).fill(String(await entryOf(engine, 'send', 'SUCCESS')));
      await expect.poll(result).toBe('of an earlier attempt; not kept');
      await slider(page).fill(String(await entryOf(engine, 'send', 'SUCCESS', 1)));
      await expect.poll(result).toBe("'https://photos.example/42'");
    });

    it('shows an engine without a journal, and what happens from now on', async () => {
      const { flow, gates } = album({ held: ['verify'] });
      const engine = await engineFor(flow);
      const running = engine.run();
      await expect.poll(() => engine.storage.find('verify')?.state).toBe('RUNNING');
      const { page } = await windows.open((await serve(engine)).url);
      await atom(page, 'verify', 'running').waitFor();
      await details(page).getByText('`journal: true` keeps all of it').waitFor();
      gates.get('verify')?.open();
      await running;
      await atom(page, 'verify', 'success').waitFor();
      await slider(page).fill('0');
      await atom(page, 'verify', 'running').waitFor();
      await atom(page, 'send', 'success').waitFor();
      const again = await windows.open((await serve(engine)).url);
      await again.page.getByText('Time travel needs a journal').waitFor();
    });

    it('goes on when its server is there again', async () => {
      const { flow, gates } = album({ held: ['verify'] });
      const engine = await withJournal(flow);
      const served = await inspector(engine);
      const { page } = await windows.open(served.url);
      const running = engine.run();
      await atom(page, 'verify', 'running').waitFor();
      await served.close();
      await page.getByText('not connected').waitFor();
      gates.get('verify')?.open();
      await running;
      await serve(engine, { port: Number(new URL(served.url).port) });
      await atom(page, 'verify', 'success').waitFor();
      await page.locator('.connection.is-live').waitFor();
      expect(await slider(page).getAttribute('max')).toBe(String((await engine.journal()).length));
    });

    it('shows a stored run that another engine goes on with', async () => {
      const backend = memoryBackend();
      const { flow, gates } = album({ held: ['verify'] });
      const engine = await engineFor(flow, { backend, journal: true });
      const running = engine.run();
      await using served = await storedInspector(
        { backend, run: engine.storage.flowUuid, showValues: true, pollMs: 20 },
        { refreshMs: 10 },
      );
      const { page, complaints } = await windows.open(served.url);
      await atom(page, 'verify', 'running').click();
      expect(await value(page, 'address').first().textContent()).toBe("'https://photos.example/42'");
      gates.get('verify')?.open();
      await running;
      await atom(page, 'mail', 'success').waitFor();
      expect(complaints).toEqual([]);
      await engine.close();
    });

    it.each([
      ['flows', manyTasks(1000)],
      ['one flow', oneLargeGraph(1000)],
    ])('shows a thousand atoms in %s in less than two seconds, and goes through their history', async (where, flow) => {
      const engine = await withJournal(flow);
      await engine.run();
      const { page, complaints } = await windows.open((await serve(engine)).url);
      const took = [await layoutTime(page)];
      // Others may use the machine, too: what counts is how fast it can be.
      for (let again = 0; again < 2 && Math.min(...took) >= 2000; again++) {
        await page.reload();
        took.push(await layoutTime(page));
      }
      expect(Math.min(...took)).toBeLessThan(2000);
      console.log(`a thousand atoms in ${where}: drawn after ${took.map(Math.round).join(', ')} ms`);
      await screenshot(page, `thousand-${where.replace(' ', '-')}`);

      await slider(page).fill(String(await entryOf(engine, 'task 500', 'RUNNING')));
      await atom(page, 'task 500', 'running').waitFor();
      await atom(page, 'task 999', 'pending').waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('task 500');
      await page.keyboard.press('Enter');
      await details(page).getByRole('heading', { name: 'task 500' }).waitFor();
      await screenshot(page, `thousand-${where.replace(' ', '-')}-found`);
      expect(complaints).toEqual([]);
    });

    it('is worked with by keys alone', async () => {
      const engine = await withJournal(album({ failing: { verify: 1 } }).flow);
      await engine.run();
      const { page, complaints } = await windows.open((await serve(engine)).url);
      const focused = () => page.evaluate<string>(`document.activeElement.getAttribute('aria-label')`);
      await page.getByRole('button', { name: 'Colours: system' }).focus();
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('summer album, graph flow');
      await page.keyboard.press('ArrowDown');
      expect(await focused()).toBe('scan, task, success');
      await page.keyboard.press('ArrowDown');
      expect(await focused()).toBe('sort, task, success');
      await page.keyboard.press('ArrowRight');
      expect(await focused()).toBe('find faces, task, success');
      await page.keyboard.press('Enter');
      await details(page).getByRole('heading', { name: 'find faces' }).waitFor();
      const outline = await page.evaluate<string>(
        `getComputedStyle(document.activeElement.querySelector('.body')).strokeWidth`,
      );
      expect(outline).toBe('3px');
      await page.keyboard.press('Escape');
      await details(page).getByRole('heading', { name: 'summer album' }).waitFor();

      await page.locator('[aria-label="upload, linear flow"]').focus();
      await page.keyboard.press(' ');
      await page.locator('[aria-label^="upload, linear flow, folded, 3 atoms"]').waitFor();
      await expect.poll(() => atom(page, 'send', 'success').count()).toBe(0);
      await page.keyboard.press(' ');
      await atom(page, 'send', 'success').waitFor();

      const before = Number(await slider(page).inputValue());
      await slider(page).focus();
      await page.keyboard.press('ArrowLeft');
      await expect.poll(() => slider(page).inputValue()).toBe(String(before - 1));
      expect(await slider(page).getAttribute('aria-valuetext')).toMatch(
        new RegExp(`^entry ${before - 1} of ${before}, `),
      );
      await page.keyboard.press('Home');
      await page.locator('.top > .pill.is-PENDING').waitFor();
      await page.keyboard.press('End');
      await page.locator('.top > .pill.is-SUCCESS').waitFor();

      await page.getByRole('tab', { name: 'Journal' }).press('Enter');
      await page.getByRole('listbox').press('ArrowUp');
      await expect.poll(() => slider(page).inputValue()).toBe(String(before - 1));
      await page.getByRole('button', { name: 'Statechart engine, larger' }).press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
      expect(complaints).toEqual([]);
    });

    it('is light or dark, as the system says or as the reader wants', async () => {
      const engine = await withJournal(album({ failing: { verify: 1 } }).flow);
      await engine.run();
      const { url } = await serve(engine);
      const paper = (page: Page) => page.evaluate<string>(`getComputedStyle(document.body).backgroundColor`);
      const { page: light } = await windows.open(url, { colorScheme: 'light' });
      const { page: dark, complaints } = await windows.open(url, { colorScheme: 'dark' });
      expect(await paper(light)).toBe('rgb(255, 255, 255)');
      expect(await paper(dark)).toBe('rgb(13, 17, 23)');
      await atom(dark, 'send', 'success').click();
      await dark.getByRole('tab', { name: 'Journal' }).click();
      await slider(dark).fill(String(await entryOf(engine, 'verify', 'REVERTED')));
      await screenshot(dark, 'dark');
      await dark.getByRole('button', { name: 'Colours: system' }).click();
      expect(await paper(dark)).toBe('rgb(255, 255, 255)');
      expect(complaints).toEqual([]);
    });

    it('looks as the README shows it', async () => {
      const environment = virtualEnvironment({ advancesByItself: true });
      const { flow } = album({ failing: { verify: 2 }, clock: environment.clock });
      const engine = await engineFor(flow, { journal: true, environment });
      const { url } = await serve(engine, { clock: environment.clock });
      await expect(engine.run()).rejects.toThrow('verify could not reach photos.example');
      const window = { viewport: { width: 1360, height: 850 } };
      const { page: past, complaints } = await windows.open(url, window);
      await slider(past).fill(String(await entryOf(engine, 'verify', 'FAILURE')));
      await atom(past, 'verify', 'failure').click();
      await details(past).getByText('Error: verify could not reach photos.example').first().waitFor();
      await screenshot(past, 'readme-past');
      const { page: dark } = await windows.open(url, { ...window, colorScheme: 'dark' });
      await slider(dark).fill(String(await entryOf(engine, 'send', 'RUNNING', 1)));
      await atom(dark, 'send', 'running').click();
      await screenshot(dark, 'readme-dark');
      expect(complaints).toEqual([]);
    });

    it('fits a phone', async () => {
      const engine = await withJournal(album({ failing: { verify: 1 } }).flow);
      await engine.run();
      const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
      const { page, complaints } = await windows.open((await serve(engine)).url, { ...phone, colorScheme: 'dark' });
      const isTooWide = () => page.evaluate<boolean>(`document.documentElement.scrollWidth > innerWidth`);
      await atom(page, 'send', 'success').tap();
      await screenshot(page, 'phone');
      for (const name of ['Details', 'Timeline', 'Journal', 'Why', 'Flow']) {
        await page.getByRole('button', { name, exact: true }).tap();
        expect(await isTooWide(), name).toBe(false);
        await screenshot(page, `phone-${name.toLowerCase()}`);
      }
      await atom(page, 'send', 'success').waitFor();
      for (const button of await page.locator('.pane-switch button, .scrubber button').all()) {
        const { width, height } = (await button.boundingBox())!;
        expect(Math.min(width, height), (await button.textContent()) ?? '').toBeGreaterThanOrEqual(32);
      }
      expect(complaints).toEqual([]);
    });

    it('shows hostile names and values as the texts that they are, in a file that needs nothing else', async () => {
      const attack = '</script><img src=x onerror="window.hit=1"><script>window.hit=1</script>';
      const flow = linear(attack).add(
        ...HOSTILE_NAMES.map((name, at) =>
          task({
            name,
            requires: at === 0 ? [] : [`given ${HOSTILE_NAMES[at - 1]}`],
            provides: `given ${name}`,
            execute: () => (at % 2 === 0 ? { [attack]: attack, __proto__x: name } : attack),
          }),
        ),
        task({
          name: attack,
          execute: () => {
            throw Object.assign(new Error(attack), { name: '<svg onload=alert(1)>' });
          },
        }),
      );
      const engine = await withJournal(flow);
      await expect(engine.run()).rejects.toThrow();
      const address = asFile(await inspectorPage(engine, { showValues: true }));
      const { page, complaints } = await windows.open(address);
      await page.locator('.graph .part.task').nth(HOSTILE_NAMES.length).waitFor();
      await slider(page).fill(String(await entryOf(engine, attack, 'FAILURE')));
      await page.locator('.graph .part.is-FAILURE').click();
      await details(page).locator('.failed').first().waitFor();
      expect(await details(page).locator('.failed').first().textContent()).toContain(attack);
      for (const tab of ['Journal', 'Why', 'Timeline']) await page.getByRole('tab', { name: tab }).click();
      for (const part of [1, 4, 10, 20]) await page.locator('.graph .part.task').nth(part).click();
      await screenshot(page, 'hostile');
      const found = await page.evaluate(`({
        hit: 'hit' in window,
        scripts: document.scripts.length,
        images: document.querySelectorAll('img, iframe').length,
      })`);
      expect(found).toEqual({ hit: false, scripts: 2, images: 0 });
      expect(complaints).toEqual([]);
      await engine.close();
    });

    it('runs no script but its own', async () => {
      const { page, complaints } = await windows.open((await serve(await withJournal(album().flow))).url);
      await page.evaluate(`
        const script = document.createElement('script');
        script.textContent = 'window.hit = 1';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.hit = 1">');
      `);
      await expect.poll(() => complaints.length).toBeGreaterThanOrEqual(2);
      expect(complaints.every((complaint) => complaint.includes('Content Security Policy'))).toBe(true);
      expect(await page.evaluate(`'hit' in window`)).toBe(false);
    });
  });
});

/** Tasks of one flow, each given what three others provide. */
function oneLargeGraph(size: number): Flow {
  return graph('large').addAll(
    Array.from({ length: size }, (_, at) =>
      task({
        name: `task ${at}`,
        requires: [40, 41, 77].flatMap((back) => (at >= back ? [`value ${at - back}`] : [])),
        provides: `value ${at}`,
        execute: () => at,
      }),
    ),
  );
}
