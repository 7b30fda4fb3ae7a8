import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { findChromium, launchChromium } from '../../servers/chromium.js';

/** Where the tests put pictures of what they saw; git does not keep them. */
const SCREENSHOTS = join(import.meta.dirname, '..', '..', '..', '.screenshots');

const HINT = 'apt install chromium, or set CHROMIUM_PATH';

/** A page that was opened, and everything that it complained about. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors of scripts, and messages of the console that are warnings or errors. */
  readonly complaints: readonly string[];
}

export interface Windows {
  /** Opens an address in a window of its own, which is closed with the browser. */
  open(url: string, options?: BrowserContextOptions): Promise<OpenedPage>;
}

/**
 * Tests in Chromium. Where there is none they are skipped, and the end of the run tells so; with
 * `FLOWSTATE_REQUIRE_SERVICES=1` that is a failure.
 */
export function describeInChromium(define: (windows: Windows) => void): void {
  if (findChromium() === null) {
    if (process.env['FLOWSTATE_REQUIRE_SERVICES'] === '1') {
      it('has a browser', () => {
        throw new Error(`There is no Chromium: ${HINT}`);
      });
    } else {
      describe.skip(`NOT TESTED: the inspector page in Chromium (${HINT})`, () => it('is tested'));
    }
    return;
  }
  describe('in Chromium', () => {
    let browser: Browser;
    beforeAll(async () => {
      mkdirSync(SCREENSHOTS, { recursive: true });
      browser = await launchChromium();
    });
    afterAll(() => browser.close());
    define({
      async open(url, options = {}) {
        const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
        context.setDefaultTimeout(15_000);
        const page = await context.newPage();
        const complaints: string[] = [];
        page.on('pageerror', (error) => complaints.push(String(error)));
        page.on('console', (message) => {
          if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
        });
        await page.goto(url);
        return { page, complaints };
      },
    });
  });
}

export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled' });
}
