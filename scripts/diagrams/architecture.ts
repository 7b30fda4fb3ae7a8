import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { Graph } from '@dagrejs/graphlib';
import { roomsOf } from '../../test/architecture/rules.js';
import { parseSource } from '../../test/architecture/source.js';
import type { Arrow, Picture } from '../../visualizations/picture.js';

interface Imports {
  /** Nothing of them is left when the program runs. */
  typesOnly: boolean;
}

type RoomGraph = Graph<object, { readonly room: string }, Imports>;

/**
 * The rooms of the library, and who imports whom, as their files say.
 *
 * An arrow reaches everything further along it; one that says no more than others together is left out.
 */
export function pictureOfRooms(folders: readonly string[]): Picture {
  const graph = importsBetweenRooms(folders);
  const ids = new Map(
    graph
      .nodes()
      .sort()
      .map((key, index) => [key, `n${index}`]),
  );
  const idOf = (key: string) => ids.get(key) ?? key;
  const arrows = graph.edges().flatMap(({ v, w }): Arrow[] => {
    const { typesOnly } = graph.edge(v, w);
    if (isImplied(graph, v, w)) return [];
    return [{ from: idOf(v), to: idOf(w), lines: typesOnly ? ['types'] : [], dashed: typesOnly }];
  });
  const boxes = [...ids].map(([key, id]) => {
    return { id, parent: null, shape: 'room', label: graph.node(key).room, notes: [], state: null } as const;
  });
  const order = (arrow: Arrow) => Number(arrow.from.slice(1)) * boxes.length + Number(arrow.to.slice(1));
  return { title: 'Who imports whom', boxes, arrows: arrows.sort((one, other) => order(one) - order(other)) };
}

/** Nodes are `room:<name>`, so that no room can be mistaken for a property of an object. */
function importsBetweenRooms(folders: readonly string[]): RoomGraph {
  const graph: RoomGraph = new Graph();
  for (const source of folders.flatMap(sourcesIn)) {
    const from = roomOf(source.path);
    if (from === null) continue;
    graph.setNode(`room:${from}`, { room: from });
    for (const { file, typeOnly } of source.imports) {
      const to = file === null ? null : roomOf(file);
      if (to === null || to === from) continue;
      graph.setNode(`room:${to}`, { room: to });
      const [v, w] = [`room:${from}`, `room:${to}`];
      const known = graph.hasEdge(v, w) ? graph.edge(v, w).typesOnly : true;
      graph.setEdge(v, w, { typesOnly: known && typeOnly });
    }
  }
  return graph;
}

function sourcesIn(folder: string) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => parseSource(path, readFileSync(path, 'utf8')));
}

/** null for what every room stands on, and what hands the rooms out. */
function roomOf(path: string): string | null {
  const [room] = roomsOf([{ path, imports: [], platformUses: [] }]);
  return room ?? null;
}

/** Whether another way leads from one room to the other. Of rooms that import each other every arrow is shown. */
function isImplied(graph: RoomGraph, from: string, to: string): boolean {
  if (reachable(graph, [to]).has(from)) return false;
  const others = (graph.successors(from) ?? []).filter((room) => room !== to);
  return reachable(graph, others).has(to);
}

function reachable(graph: RoomGraph, start: readonly string[]): Set<string> {
  const found = new Set(start);
  for (const room of found) for (const next of graph.successors(room) ?? []) found.add(next);
  return found;
}
