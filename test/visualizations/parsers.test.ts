import fc from 'fast-check';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { type Compilation, isAtom } from '../../src/compiler/compilation.js';
import { linear } from '../../src/flows/linear.js';
import { drawFlow, drawMachine } from '../../visualizations/index.js';
import { stateColours } from '../../visualizations/colours.js';
import { visible } from '../../visualizations/text.js';
import { MACHINES, waysBetween } from './all-machines.js';
import { launchChromium } from '../servers/chromium.js';
import { flowsOfCases, hostileFlows, idOf, linksOf, partsOf } from './case-flows.js';
import { HOSTILE_NAMES } from './hostile-names.js';
import { addMermaid, drawByMermaid, type ParsedGraph, parseDot, parseMermaid } from './parsed-graph.js';

/*
 * What is drawn, read by the parsers of those who will read it: Mermaid in a browser, DOT by ts-graphviz. What they find
 * is compared with the flow or the machine itself.
 */

const cases = flowsOfCases();

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launchChromium();
  page = await browser.newPage();
  await addMermaid(page);
});

afterAll(async () => {
  await browser.close();
});

/** Every part of a flow with its name and the flow around it, and every link. */
function contentOf(plan: Compilation) {
  const nodes = partsOf(plan).map((node) => {
    const name = visible(node.name);
    const label = node.kind === 'retry' ? `↻ ${name}` : name;
    return [
      idOf(node),
      node.kind === 'flow' ? `${label} (${node.item.pattern})` : label,
      node.parent && idOf(node.parent),
    ];
  });
  return { nodes: nodes.sort(), links: linksOf(plan) };
}

/** The same of what a parser has found. */
function foundIn({ nodes, links }: ParsedGraph, plan: Compilation) {
  const flows = new Set(partsOf(plan).flatMap((node) => (isAtom(node) ? [] : [idOf(node)])));
  return {
    nodes: nodes
      .map(({ id, lines, parent }) => {
        const [first = '', second] = lines;
        // Mermaid has one line at the top of a box, and two in a flow with nothing in it.
        return [id, flows.has(id) && second !== undefined ? `${first} (${second})` : first, parent];
      })
      .sort(),
    links: links.map(({ from, to, dashed }) => `${from} ${dashed ? '-.->' : '-->'} ${to}`).sort(),
  };
}

describe('a flow that is drawn', () => {
  it('is read by Mermaid as it is, in all fixtures', async () => {
    expect(cases.length).toBeGreaterThan(100);
    const drawn = cases.map((plan) => drawFlow(plan, { format: 'mermaid' }));
    const found = await parseMermaid(page, drawn);
    cases.forEach((plan, at) => expect(foundIn(found[at]!, plan)).toEqual(contentOf(plan)));
  });

  it('is read by a parser of DOT as it is, in all fixtures', () => {
    for (const plan of cases) {
      expect(foundIn(parseDot(drawFlow(plan, { format: 'dot' })), plan)).toEqual(contentOf(plan));
    }
  });

  it('is read by Mermaid as it is, whatever it is made of and called', async () => {
    await fc.assert(
      fc.asyncProperty(hostileFlows, async (plan) => {
        const [found] = await parseMermaid(page, [drawFlow(plan, { format: 'mermaid' })]);
        expect(foundIn(found!, plan)).toEqual(contentOf(plan));
      }),
      { numRuns: 100 },
    );
  });

  it('is read by a parser of DOT as it is, whatever it is made of and called', () => {
    fc.assert(
      fc.property(hostileFlows, (plan) => {
        expect(foundIn(parseDot(drawFlow(plan, { format: 'dot' })), plan)).toEqual(contentOf(plan));
      }),
      { numRuns: 200 },
    );
  });
});

describe('names that are syntax', () => {
  const named = (name: string) => task({ name, execute: () => null });
  const flow = linear('a # "flow" -->').addAll(HOSTILE_NAMES.map(named));

  it('are drawn as they are by Mermaid, in a browser', async () => {
    const { labels, foreign } = await drawByMermaid(page, drawFlow(flow, { format: 'mermaid' }));
    const drawn = new Set(labels.map(([, label]) => label));
    expect(HOSTILE_NAMES.map(visible).filter((name) => !drawn.has(name))).toEqual([]);
    expect(drawn).toContain('a # "flow" --> (linear)');
    expect(foreign).toEqual([]);
  });
});

describe.each(MACHINES)('the machine $id that is drawn', (machine) => {
  const initial = machine.root.initial.target[0]!.key;

  function check({ nodes, links }: ParsedGraph, state: string) {
    const names = new Map(nodes.map(({ id, lines }) => [id, lines[0] ?? '']));
    const [root, ...inside] = nodes.filter(({ id }) => /^n\d+$/.test(id));
    expect([root?.lines, root?.parent]).toEqual([[machine.id], null]);
    expect(inside.map(({ lines }) => lines[0])).toEqual(Object.keys(machine.states));
    expect(new Set(inside.map(({ parent }) => parent))).toEqual(new Set([root?.id]));
    const ways = links.filter(({ from, to }) => [from, to].every((id) => inside.some((each) => each.id === id)));
    expect(ways.map(({ from, to }) => `${names.get(from)} --> ${names.get(to)}`).sort()).toEqual(waysBetween(machine));
    const [begin] = links.filter(({ from }) => /start|initial/.test(from));
    expect(names.get(begin!.to)).toBe(initial);
    const active = stateColours('light').get('ACTIVE')?.fill;
    expect(inside.filter(({ fill }) => fill === active).map(({ lines }) => lines[0])).toEqual([state]);
  }

  it('is read by Mermaid as it is, in each of its states', async () => {
    const states = Object.keys(machine.states);
    const texts = states.map((state) => drawMachine(machine, { format: 'mermaid', state }));
    const found = await parseMermaid(page, texts);
    states.forEach((state, at) => check(found[at]!, state));
  });

  it('is read by a parser of DOT as it is, in each of its states', () => {
    for (const state of Object.keys(machine.states)) {
      check(parseDot(drawMachine(machine, { format: 'dot', state })), state);
    }
  });
});
