import { describe, expect, it } from 'vitest';
import { engineMachine, taskMachine } from '../../machines/index.js';
import { times } from '../../src/atoms/retries.js';
import { task } from '../../src/atoms/function-task.js';
import { compile } from '../../src/compiler/compile.js';
import { load } from '../../src/engines/load.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { stateColours } from '../../visualizations/colours.js';
import {
  DIAGRAM_FORMATS,
  drawFlow,
  drawMachine,
  flowToDot,
  flowToMermaid,
  flowToSvg,
} from '../../visualizations/index.js';
import { HOSTILE_NAMES } from './hostile-names.js';
import { parseDot, type ParsedNode } from './parsed-graph.js';
import { elementsOf, hasClass, parseXml } from './xml.js';

const named = (name: string) => task({ name, execute: () => null });

function trip(): Flow {
  return linear('trip', { retry: times({ attempts: 3 }) }).add(
    named('reserve'),
    named('pay'),
    unordered('notify').add(named('mail'), named('text')),
  );
}

function album(): Flow {
  const scan = task({ name: 'scan', provides: ['photos', 'dates'], execute: () => [[], []] });
  const sort = task({ name: 'sort', requires: ['photos', 'dates'], execute: () => null });
  const upload = linear('upload').add(task({ name: 'send', requires: ['photos'], execute: () => null }));
  const announce = named('announce');
  return graph('album')
    .addAll([scan, sort, upload, announce])
    .link(sort, announce)
    .link(upload, announce, { decider: () => true, depth: 'FLOW' });
}

describe('a flow as Mermaid', () => {
  it('has flows around their children, retries marked, and links between siblings', () => {
    expect(flowToMermaid(trip())).toBe(
      [
        'flowchart TB',
        '  subgraph n0["trip (linear)"]',
        '    direction TB',
        '    n7{{"#8635; trip_retry"}}',
        '    n1["reserve"]',
        '    n2["pay"]',
        '    subgraph n3["notify (unordered)"]',
        '      direction TB',
        '      n4["mail"]',
        '      n5["text"]',
        '    end',
        '  end',
        '  n1 --> n2',
        '  n2 --> n3',
        '',
      ].join('\n'),
    );
  });

  it('says what goes along links, and dashes those with a decider', () => {
    const text = flowToMermaid(album());
    expect(text).toContain('n1 -->|"photos, dates"| n2\n');
    expect(text).toContain('n2 --> n6\n');
    expect(text).toContain('n3 -.->|"decider#58; FLOW"| n6\n');
  });

  it('colours the states it is told', () => {
    const text = flowToMermaid(trip(), {
      states: (name) => (name === 'pay' ? 'FAILURE' : name === 'mail' ? 'odd' : null),
    });
    expect(text).toContain('n2["pay<br/>FAILURE"]');
    expect(text).toContain('n4["mail<br/>odd"]');
    expect(text).toMatch(/^ {2}classDef FAILURE fill:#\w+,stroke:#\w+,color:#\w+\n {2}class n2 FAILURE\n$/m);
  });
});

describe('a flow as DOT', () => {
  it('has clusters, and links cut off at them', () => {
    const text = flowToDot(trip());
    expect(text).toContain('subgraph cluster_n3 {\n      label="notify\\nunordered"');
    expect(text).toContain('n7 [label="↻ trip_retry", shape=hexagon, style=filled]');
    expect(text).toContain('  n1 -> n2\n  n2 -> n4 [lhead=cluster_n3]\n');
  });

  it('says what goes along links, and dashes those with a decider', () => {
    const text = flowToDot(album());
    expect(text).toContain('n1 -> n2 [label="photos, dates"]');
    expect(text).toContain('n4 -> n6 [ltail=cluster_n3, label="decider: FLOW", style=dashed]');
  });
});

describe('a flow as SVG', () => {
  it('has a box for each flow and atom, and an arrow for each link', () => {
    const elements = [...elementsOf(parseXml(flowToSvg(album(), { states: () => 'SUCCESS' })))];
    const boxes = elements.filter((element) => hasClass(element, 'box'));
    expect(boxes.map((box) => box.attributes.get('id'))).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n6']);
    expect(boxes.filter((box) => hasClass(box, 'is-SUCCESS'))).toHaveLength(4);
    expect(elements.filter((element) => hasClass(element, 'arrow'))).toHaveLength(4);
    expect(elements.filter((element) => hasClass(element, 'dashed'))).toHaveLength(1);
  });

  it('needs nothing from elsewhere, and has colours for light and for dark', () => {
    const text = flowToSvg(trip());
    expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|href|@import|<script/);
    expect(text).toContain('@media (prefers-color-scheme:dark)');
  });
});

describe('pictures of flows', () => {
  it('are the same for a flow, its compilation, and each time', () => {
    const flow = album();
    for (const draw of [flowToMermaid, flowToDot, flowToSvg]) {
      expect(draw(compile(flow))).toBe(draw(flow));
      expect(draw(album())).toBe(draw(flow));
    }
  });

  it('can be of a single task, and of flows with nothing in them', () => {
    expect(flowToMermaid(named('alone'))).toBe('flowchart TB\n  n0["alone"]\n');
    const flow = linear('outer').add(linear('empty'), linear('retried', { retry: times() }));
    expect(flowToMermaid(flow)).toContain('n1(["empty<br/>linear"])');
    expect(flowToDot(flow)).toContain('n1 -> n4 [lhead=cluster_n3]');
    expect(parseXml(flowToSvg(flow)).name).toBe('svg');
  });

  it('nest deeper than calls do', () => {
    let flow: Flow = linear('innermost').add(named('task'));
    for (let depth = 0; depth < 3000; depth++) flow = linear(`flow ${depth}`).add(flow);
    const plan = compile(flow);
    expect(flowToDot(plan).split('subgraph')).toHaveLength(3002);
    expect(flowToMermaid(plan).split('subgraph')).toHaveLength(3002);
    expect(flowToSvg(plan).split('<g ')).toHaveLength(3003);
  });
});

describe('names that are syntax', () => {
  const flow = graph('"flow" -->\n<b>').addAll([
    linear('inner\\', { retry: times({ name: '"]}' }) }).addAll(HOSTILE_NAMES.map(named)),
    task({ name: 'source', provides: HOSTILE_NAMES, execute: () => null }),
    task({ name: 'sink', requires: HOSTILE_NAMES, execute: () => null }),
  ]);
  const states = (name: string) => name;

  it('stay text in Mermaid', () => {
    const lines = flowToMermaid(flow, { states }).split('\n').slice(1, -1);
    const label = String.raw`"(?:[\p{L}\p{N}\p{M},()[\]_. -]|#\d+;|<br/>)*"`;
    const line = new RegExp(
      String.raw`^ +(?:subgraph n\d+\[${label}\]|direction TB|end|n\d+(?:\[${label}\]|\{\{${label}\}\})|` +
        String.raw`n\d+ -->(?:\|${label}\|)? n\d+)$`,
      'u',
    );
    expect(lines.filter((each) => !line.test(each))).toEqual([]);
    expect(lines.filter((each) => each.includes('subgraph n'))).toHaveLength(2);
  });

  it('stay text in DOT', () => {
    const lines = flowToDot(flow, { states }).split('\n').slice(4, -2);
    const label = String.raw`"(?:[^"\\&]|\\\\|\\"|\\n|&amp;)*"`;
    const line = new RegExp(
      String.raw`^ +(?:subgraph cluster_n\d+ \{|\}|label=${label}|n\d+ \[label=${label}(?:, shape=hexagon, style=filled)?\]|` +
        String.raw`n\d+ -> n\d+(?: \[label=${label}\])?)$`,
      'u',
    );
    expect(lines.filter((each) => !line.test(each))).toEqual([]);
  });

  it('stay text in SVG', () => {
    const svg = parseXml(flowToSvg(flow, { states }));
    const elements = [...elementsOf(svg)];
    expect(new Set(elements.map(({ name }) => name))).toEqual(
      new Set(['svg', 'style', 'defs', 'marker', 'path', 'rect', 'g', 'title', 'text']),
    );
    const names = elements.filter((element) => hasClass(element, 'name')).map(({ text }) => text);
    expect(names).toContain('a"b\\');
    expect(names).toContain('<script>alert(1)</script>');
    expect(names).toContain('two\\nlines\\r\\tand a tab');
    expect(names).toContain('\\u{202e}right to left\\u{2066}');
    expect(names).toContain(`${'x'.repeat(47)}…`);
    const tooltips = elements.filter(({ name }) => name === 'title').map(({ text }) => text);
    expect(tooltips).toContainEqual(expect.stringContaining('x'.repeat(500)));
  });
});

describe('a run that is drawn', () => {
  const flow = () =>
    linear('f', { retry: times({ name: 'r' }) }).add(
      named('a'),
      task({ name: 'b', execute: () => null }),
      unordered('g').add(named('c')),
    );
  const STATES = { f: 'SUSPENDED', r: 'SUCCESS', a: 'SUCCESS', b: 'PENDING', g: null, c: 'PENDING' };

  async function suspended() {
    const backend = memoryBackend();
    const engine = await load(flow(), { backend, engine: 'serial' });
    engine.atomNotifier.register('SUCCESS', (_, details) => {
      if ('taskName' in details) engine.suspend();
    });
    await engine.run();
    const stored = await (await backend.getConnection()).getFlowDetail(engine.storage.flowUuid);
    return { engine, stored };
  }

  /** The state that a part has in a text, by the colour that it is filled with. */
  function statesIn(nodes: readonly ParsedNode[]): Map<string | undefined, string | null> {
    const byFill = new Map([...stateColours('light')].map(([state, { fill }]) => [fill, state]));
    const names = nodes.map(
      ({ lines, fill }) => [lines[0]?.replace('↻ ', ''), byFill.get(fill ?? '') ?? null] as const,
    );
    return new Map(names);
  }

  it('has the states of the engine in DOT, of its atoms and of the flow', async () => {
    const { engine } = await suspended();
    expect(statesIn(parseDot(drawFlow(engine, { format: 'dot' })).nodes)).toEqual(new Map(Object.entries(STATES)));
  });

  it('has the states of a stored run', async () => {
    const { engine, stored } = await suspended();
    for (const format of DIAGRAM_FORMATS) {
      expect(drawFlow(flow(), { format, states: stored })).toBe(drawFlow(engine, { format }));
    }
  });

  it('has them in SVG and in Mermaid, and says them for Stately', async () => {
    const { engine } = await suspended();
    const boxes = [...elementsOf(parseXml(drawFlow(engine, { format: 'svg' })))].filter((each) =>
      hasClass(each, 'box'),
    );
    expect(boxes.map((box) => /is-(\w+)/.exec(box.attributes.get('class') ?? '')?.[1] ?? null)).toEqual(
      ['f', 'r', 'a', 'b', 'g', 'c'].map((name) => STATES[name as keyof typeof STATES]),
    );
    const mermaid = drawFlow(engine, { format: 'mermaid' });
    expect(mermaid).toContain('subgraph n0["f (linear, SUSPENDED)"]');
    expect(mermaid.match(/^ {2}class .*$/gm)).toEqual([
      '  class n2,n4 PENDING',
      '  class n6,n1 SUCCESS',
      '  class n0 SUSPENDED',
    ]);
    expect(drawFlow(engine, { format: 'stately' })).toContain("description: 'SUSPENDED'");
  });

  it('is PENDING before anything has happened, and nothing of the engine is changed', async () => {
    const engine = await load(flow());
    expect(statesIn(parseDot(drawFlow(engine, { format: 'dot' })).nodes).get('f')).toBe('PENDING');
    expect(engine.compilation).toBeNull();
    engine.compile();
    expect(statesIn(parseDot(drawFlow(engine, { format: 'dot' })).nodes).get('f')).toBe('PENDING');
  });
});

describe('drawing', () => {
  it('shows the state that a machine is in, in SVG', () => {
    const elements = [...elementsOf(parseXml(drawMachine(taskMachine, { format: 'svg', state: 'REVERTING' })))];
    const active = elements.filter((element) => hasClass(element, 'is-ACTIVE'));
    expect(active.map(({ text }) => text.trim())).toEqual(['REVERTING']);
  });

  it('refuses formats and states that there are not, and says which there are', () => {
    const format = 'png' as never;
    const message = 'format takes one of mermaid, dot, svg, scxml, stately, got "png"';
    expect(() => drawFlow(trip(), { format })).toThrow(new RangeError(message));
    expect(() => drawMachine(taskMachine, { format })).toThrow(new RangeError(message));
    expect(() => drawMachine(engineMachine, { format: 'dot', state: 'constructor' })).toThrow(
      new RangeError(
        'state takes a state of engine, one of UNDEFINED, RESUMING, SCHEDULING, WAITING, ANALYZING, GAME_OVER, SUCCESS, REVERTED, SUSPENDED, FAILURE, got constructor',
      ),
    );
  });
});
