import { createHash } from 'node:crypto';
import { visible, xml } from '../text.js';
import { PAGE_SCRIPT, PAGE_STYLE } from './built-page.js';
import type { PageData } from './page-data.js';
import { DATA_ID } from './page-data.js';

/**
 * The policy of the page: its own script and style and nothing else, and for a live one the server that it came from.
 *
 * @param framed - Whether it may say who may frame the page, which only a header can.
 */
export function policyOf({ live }: Pick<PageData, 'live'>, { isHeader }: { readonly isHeader: boolean }): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(PAGE_SCRIPT)}`,
    `style-src ${hashOf(PAGE_STYLE)}`,
    'img-src data:',
    ...(live === null ? [] : ["connect-src 'self'"]),
    "base-uri 'none'",
    "form-action 'none'",
    ...(isHeader ? ["frame-ancestors 'none'"] : []),
  ].join('; ');
}

/** The whole page as one text, which needs nothing else. */
export function pageHtml(data: PageData): string {
  const { name } = data.picture;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${xml(policyOf(data, { isHeader: false }))}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    '<link rel="icon" href="data:,">',
    `<title>${xml(visible(name))} · flowstate</title>`,
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    '<body>',
    '<div id="page"><noscript>The inspector page needs JavaScript.</noscript></div>',
    `<script type="application/json" id="${DATA_ID}">${jsonForScript(data)}</script>`,
    `<script>${PAGE_SCRIPT}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** JSON that cannot end the element that it is in, nor begin a comment there, whatever the texts in it. */
export function jsonForScript(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
