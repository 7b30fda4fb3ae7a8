import { parse, type ClusterStatementASTNode } from '@ts-graphviz/ast';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

export interface ParsedNode {
  readonly id: string;
  /** What it says, one line each. */
  readonly lines: readonly string[];
  /** The id of the box around it. */
  readonly parent: string | null;
  /** The colour that it is filled with. */
  readonly fill: string | null;
}

export interface ParsedLink {
  readonly from: string;
  readonly to: string;
  readonly lines: readonly string[];
  readonly dashed: boolean;
}

/** What a parser of the format found in a text. */
export interface ParsedGraph {
  readonly nodes: readonly ParsedNode[];
  readonly links: readonly ParsedLink[];
}

// DOT --------------------------------------------------------------------------------------------------------------

/** Reads a text with the parser of ts-graphviz. Clusters are nodes, and arrows lead to where they are cut off. */
export function parseDot(text: string): ParsedGraph {
  const [graph] = parse(text).children;
  if (graph?.type !== 'Graph') throw new SyntaxError('There is no graph');
  const nodes: ParsedNode[] = [];
  const links: ParsedLink[] = [];
  const read = (statements: readonly ClusterStatementASTNode[], parent: string | null) => {
    for (const statement of statements) {
      const attributes = attributesOf(statement);
      if (statement.type === 'Node') nodes.push(nodeOf(statement.id.value, attributes, parent));
      if (statement.type === 'Subgraph') {
        const id = (statement.id?.value ?? '').replace(/^cluster_/, '');
        nodes.push(nodeOf(id, attributes, parent));
        read(statement.children, id);
      }
      if (statement.type === 'Edge') {
        const [from, to] = statement.targets.map((target) => (target.type === 'NodeRef' ? target.id.value : ''));
        links.push({
          from: (attributes.get('ltail') ?? from ?? '').replace(/^cluster_/, ''),
          to: (attributes.get('lhead') ?? to ?? '').replace(/^cluster_/, ''),
          lines: linesOfDot(attributes.get('label')),
          dashed: attributes.get('style') === 'dashed',
        });
      }
    }
  };
  read(graph.children, null);
  return { nodes, links };
}

function attributesOf({ children }: ClusterStatementASTNode): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const child of children) if (child.type === 'Attribute') attributes.set(child.key.value, child.value.value);
  return attributes;
}

function nodeOf(id: string, attributes: ReadonlyMap<string, string>, parent: string | null): ParsedNode {
  return { id, lines: linesOfDot(attributes.get('label')), parent, fill: attributes.get('fillcolor') ?? null };
}

/** As Graphviz reads a label; the parser has taken the quotes away, and what escapes them. */
function linesOfDot(label: string | undefined): string[] {
  if (label === undefined) return [];
  const text = label.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  return text.split('\n').map((line) => line.replaceAll('&amp;', '&'));
}

// Mermaid ----------------------------------------------------------------------------------------------------------

interface MermaidData {
  readonly nodes: readonly {
    readonly id: string;
    readonly label?: string;
    readonly description?: string | readonly string[];
    readonly parentId?: string;
    readonly cssCompiledStyles?: readonly string[];
    readonly shape: string;
  }[];
  readonly edges: readonly {
    readonly start: string;
    readonly end: string;
    readonly label?: string;
    readonly pattern?: string;
  }[];
}

interface MermaidInPage {
  parse(text: string): Promise<unknown>;
  readonly mermaidAPI: {
    getDiagramFromText(text: string): Promise<{ readonly db: { getData(): MermaidData } }>;
  };
  render(id: string, text: string): Promise<{ readonly svg: string }>;
}

const require = createRequire(import.meta.url);
const MERMAID = require.resolve('mermaid/dist/mermaid.min.js');

export async function addMermaid(page: Page): Promise<void> {
  await page.addScriptTag({ path: MERMAID });
  // It gets to know the kinds of diagrams when it is first asked.
  await page.evaluate(async () => {
    await (globalThis as unknown as { readonly mermaid: MermaidInPage }).mermaid.parse('flowchart TB');
  });
}

/** Reads texts with Mermaid's own parsers, in a page that has it. @throws what Mermaid throws, with the text. */
export async function parseMermaid(page: Page, texts: readonly string[]): Promise<ParsedGraph[]> {
  const found = await page.evaluate(async (given) => {
    const { mermaid } = globalThis as unknown as { readonly mermaid: MermaidInPage };
    const data: MermaidData[] = [];
    for (const text of given) {
      const diagram = await mermaid.mermaidAPI.getDiagramFromText(text).catch((error: unknown) => {
        throw new Error(`${String(error)} in ${text}`);
      });
      const { nodes, edges } = diagram.db.getData();
      // What cannot be handed out of the page is left behind.
      data.push(JSON.parse(JSON.stringify({ nodes, edges })) as MermaidData);
    }
    return data;
  }, texts);
  return found.map(graphOf);
}

/** What stands in the boxes that Mermaid draws, by id; and what else than pictures and text there is. */
export function drawByMermaid(page: Page, text: string): Promise<{ labels: [string, string][]; foreign: string[] }> {
  return page.evaluate(async (given) => {
    interface Element {
      readonly id: string;
      readonly localName: string;
      readonly textContent: string;
      innerHTML: string;
      querySelector(selector: string): Element | null;
      querySelectorAll(selector: string): Iterable<Element>;
    }
    const { mermaid, document } = globalThis as unknown as {
      readonly mermaid: MermaidInPage;
      readonly document: { readonly body: Element };
    };
    const { svg } = await mermaid.render('drawn', given);
    document.body.innerHTML = svg;
    const boxes = [...document.body.querySelectorAll('.node, .cluster')];
    return {
      labels: boxes.map((box): [string, string] => [box.id, box.querySelector('.nodeLabel')?.textContent ?? '']),
      foreign: [...document.body.querySelectorAll('script, a, img, iframe, h1, h2, h3, li, code, em, strong, i')].map(
        ({ localName }) => localName,
      ),
    };
  }, text);
}

function graphOf({ nodes, edges }: MermaidData): ParsedGraph {
  return {
    nodes: nodes.map(({ id, label, description = [], parentId, cssCompiledStyles = [] }) => {
      const below = typeof description === 'string' ? [description] : description;
      const fills = cssCompiledStyles.flatMap((style) => /^fill: ?(\S+?)(?: !important)?;?$/.exec(style)?.[1] ?? []);
      return {
        id,
        lines: [label ?? '', ...below].flatMap(linesOfMermaid),
        parent: parentId ?? null,
        fill: fills.at(-1) ?? null,
      };
    }),
    links: edges.map(({ start, end, label = '', pattern }) => {
      return { from: start, to: end, lines: linesOfMermaid(label), dashed: pattern === 'dotted' };
    }),
  };
}

/** As Mermaid reads a label: it has put other characters around entities before, which it turns back when it draws. */
function linesOfMermaid(label: string): string[] {
  if (label === '') return [];
  return label
    .split(/<br\s*\/?>/)
    .map((line) => line.replace(/ﬂ°°(\d+)¶ß/gu, (_, code: string) => String.fromCodePoint(Number(code))));
}
