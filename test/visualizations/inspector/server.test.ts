import { once } from 'node:events';
import { connect } from 'node:net';
import { request as send, type IncomingHttpHeaders } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Engine } from '../../../src/engines/engine.js';
import { inspector, type InspectorOptions } from '../../../visualizations/inspector/inspector.js';
import type { RunNews, RunPicture } from '../../../visualizations/inspector/run-picture.js';
import { album, engineFor } from './runs.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks as anything may that can reach the port: no header is one that a browser would not send. */
function ask(url: string, { method = 'GET', path = '/', headers = {} }: Asked = {}): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = send({ host: hostname, port, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function served(engine: Engine, options: InspectorOptions = {}) {
  const page = await inspector(engine, { refreshMs: 1, ...options });
  onTestFinished(async () => {
    await page.close();
    await engine.close();
  });
  return page;
}

interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: RunNews & RunPicture;
}

/** The events of a stream, as they come. Ends with the connection. */
async function* events(url: string, since: string, lastEventId?: string): AsyncGenerator<ServerEvent> {
  const aborted = new AbortController();
  const headers: Record<string, string> = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
  const response = await fetch(`${url}events?since=${since}`, { headers, signal: aborted.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  try {
    const decoder = new TextDecoder();
    for await (const part of response.body ?? []) {
      text += decoder.decode(part as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
        const data = fields.get('data');
        if (data === undefined) continue;
        yield { id: fields.get('id') ?? '', event: fields.get('event') ?? '', data: JSON.parse(data) as never };
      }
    }
  } finally {
    aborted.abort();
  }
}

async function first(stream: AsyncGenerator<ServerEvent>, wanted: (event: ServerEvent) => boolean) {
  for await (const event of stream) if (wanted(event)) return event;
  throw new Error('The stream has ended');
}

/** What the page of a run is told to begin with. */
async function beginning(url: string): Promise<{ since: string; upTo: number }> {
  const { text } = await ask(url);
  const [, json = ''] = /id="flowstate-run">(.*?)<\/script>/s.exec(text) ?? [];
  const data = JSON.parse(json) as { live: { since: string }; picture: RunPicture };
  return { since: data.live.since, upTo: data.picture.news.upTo };
}

describe('the server of the inspector page', () => {
  it('listens on the loopback interface, on a port that is free', async () => {
    const { url } = await served(await engineFor(album().flow));
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const { status, headers } = await ask(url);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; img-src data:; connect-src 'self'; .*frame-ancestors 'none'$/,
    );
  });

  it.each(['Port', 'host'])('refuses a %s that it cannot listen on', async (what) => {
    const engine = await engineFor(album().flow);
    onTestFinished(() => engine.close());
    const options = what === 'host' ? { host: '203.0.113.1' } : { port: 65_536 };
    const message = what === 'host' ? 'EADDRNOTAVAIL' : 'port takes a whole number from 0 to 65535, got 65536';
    await expect(inspector(engine, options)).rejects.toThrow(message);
  });

  describe('refuses', () => {
    it.each([
      ['a name that a stranger made lead here', 403, { headers: { Host: 'evil.example' } }],
      ['that name with its port', 403, { headers: { Host: 'evil.example:PORT' } }],
      ['another port', 403, { headers: { Host: '127.0.0.1:1' } }],
      ['a name that only begins like its own', 403, { headers: { Host: 'localhost.evil.example:PORT' } }],
      ['a page of another origin', 403, { headers: { Origin: 'https://evil.example' } }],
      ['a page of another origin on this machine', 403, { headers: { Origin: 'http://localhost:1' } }],
      ['its own name with another protocol', 403, { headers: { Origin: 'https://localhost:PORT' } }],
      ['a page without an origin of its own', 403, { headers: { Origin: 'null' } }],
      ['what another site makes a browser ask', 403, { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
      ['what another port makes a browser ask', 403, { headers: { 'Sec-Fetch-Site': 'same-site' } }],
      ['to be written to', 405, { method: 'POST' }],
      ['to say what it would allow', 405, { method: 'OPTIONS' }],
      ['what it does not have', 404, { path: '/other' }],
      ['a path that is none', 404, { path: '//' }],
    ])('%s', async (_, status, asked: Asked) => {
      const { url } = await served(await engineFor(album().flow), { showValues: true });
      const { port } = new URL(url);
      const headers = Object.fromEntries(
        Object.entries(asked.headers ?? {}).map(([name, value]) => [name, value.replace('PORT', port)]),
      );
      for (const path of asked.path === undefined ? ['/', '/events'] : [asked.path]) {
        const answer = await ask(url, { ...asked, path, headers });
        expect(answer.status).toBe(status);
        expect(answer.text).not.toContain('summer album');
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
    });
  });

  it.each(['localhost:PORT', 'LOCALHOST:PORT', '127.0.0.1:PORT', '[::1]:PORT', 'flows.example:PORT'])(
    'answers as %s, with its own origin',
    async (name) => {
      const { url } = await served(await engineFor(album().flow), { allowedHosts: ['flows.example'] });
      const host = name.replace('PORT', new URL(url).port);
      const headers = { Host: host, Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' };
      expect((await ask(url, { headers })).status).toBe(200);
      expect(await ask(url, { headers, method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    },
  );

  it('tells what happens, and after a lost connection what was missed', async () => {
    const { flow, gates } = album({ held: ['scan', 'verify'] });
    const engine = await engineFor(flow, { journal: true });
    const { url } = await served(engine);
    const { since, upTo } = await beginning(url);
    expect(upTo).toBe(1);

    const stream = events(url, since);
    const running = engine.run();
    const heard: ServerEvent[] = [];
    const last = await first(stream, (event) => {
      heard.push(event);
      return event.data.entries.some(({ event: name, to }) => name === 'execute' && to === 'RUNNING');
    });
    await stream.return(undefined);

    gates.get('scan')?.open();
    gates.get('verify')?.open();
    await running;
    const again = await first(events(url, since, last.id), () => true);
    expect(again.event).toBe('news');
    const sequences = [...heard, again].flatMap(({ data }) => data.entries.map(({ sequence }) => sequence));
    const all = (await engine.journal()).map(({ sequence }) => sequence);
    expect([upTo, ...sequences]).toEqual(all);
    expect(again.data).toMatchObject({ flowState: 'SUCCESS', stage: 'SUCCESS', why: [] });
    expect(again.data.atoms.map(({ state }) => state)).toEqual(again.data.atoms.map(() => 'SUCCESS'));
  });

  it.each([
    ['nothing', ''],
    ['another server', '00000000-0000-4000-8000-000000000000.3.7'],
    ['nonsense', '../../etc'],
  ])('shows all of the run to a page that knows %s', async (_, since) => {
    const engine = await engineFor(album().flow, { journal: true });
    const { url } = await served(engine);
    await engine.run();
    const { event, data } = await first(events(url, encodeURIComponent(since)), () => true);
    expect(event).toBe('picture');
    expect(data).toMatchObject({ name: 'summer album', history: 'journal', news: { flowState: 'SUCCESS' } });
    expect(data.news.entries).toHaveLength((await engine.journal()).length);
  });

  it.each([
    [false, 'lets its process end, whoever looks'],
    [true, 'keeps its process alive when it is told to'],
  ])('with keepAlive: %s %s', async (keepAlive) => {
    const holding = (what: string) => process.getActiveResourcesInfo().filter((each) => each === what).length;
    const { url } = await served(await engineFor(album().flow), { keepAlive });
    expect(holding('TCPServerWrap')).toBe(keepAlive ? 1 : 0);
    // The other end of the connection is in this process, too, and holds nothing.
    const reader = connect(Number(new URL(url).port), '127.0.0.1').unref();
    reader.write(`GET /events HTTP/1.1\r\nHost: ${new URL(url).host}\r\n\r\n`);
    await once(reader, 'data');
    await expect.poll(() => holding('TCPSocketWrap')).toBe(keepAlive ? 1 : 0);
    reader.destroy();
  });

  it.each(['it is closed', 'its engine is closed', 'it is disposed of'])(
    'ends every connection when %s',
    async (how) => {
      const engine = await engineFor(album().flow);
      const page = await inspector(engine);
      const stream = events(page.url, '');
      await stream.next();
      if (how === 'its engine is closed') await engine.close();
      else if (how === 'it is closed') await page.close();
      else await page[Symbol.asyncDispose]();
      expect((await stream.next()).done).toBe(true);
      await page.close();
      await expect(ask(page.url)).rejects.toThrow('ECONNREFUSED');
      await engine.close();
    },
  );
});
