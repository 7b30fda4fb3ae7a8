import type { AnyStateMachine } from 'xstate';
import { engineMachine, flowMachine, retryMachine, taskMachine } from '../../machines/index.js';
import { layOut } from '../layout.js';
import { pictureOfMachine } from '../machine-picture.js';
import type { PictureChart } from './run-picture.js';

const MACHINES: readonly AnyStateMachine[] = [engineMachine, flowMachine, taskMachine, retryMachine];

let laidOut: readonly PictureChart[] | null = null;

/** The charts of `machines/`, laid out once. */
export function charts(): readonly PictureChart[] {
  return (laidOut ??= MACHINES.map(chartOf));
}

function chartOf(machine: AnyStateMachine): PictureChart {
  const picture = pictureOfMachine(machine);
  const { width, height, boxes, arrows } = layOut(picture);
  const names = new Map(picture.boxes.map(({ id, label, shape }) => [id, shape === 'initial' ? null : label]));
  const parents = new Set(picture.boxes.map(({ parent }) => parent));
  return {
    id: machine.id,
    width,
    height,
    states: picture.boxes.map(({ id, shape }) => ({
      name: names.get(id) ?? null,
      isFinal: shape === 'final',
      isAround: parents.has(id),
      ...(boxes.get(id) ?? { x: 0, y: 0, width: 0, height: 0 }),
    })),
    ways: arrows.map(({ arrow, points, label }) => ({
      from: names.get(arrow.from) ?? null,
      to: names.get(arrow.to) ?? null,
      lines: arrow.lines,
      points: points.map(({ x, y }) => [Math.round(x), Math.round(y)] as const),
      label: [Math.round(label.x), Math.round(label.y)] as const,
    })),
  };
}
