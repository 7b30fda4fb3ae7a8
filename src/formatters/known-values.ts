import type { Atom } from '../atoms/atom.js';
import type { Engine } from '../engines/engine.js';
import { FlowstateError } from '../errors.js';
import { setOwn } from '../own-property.js';

/** What is given; undefined where flowstate has no such thing, as of a run that is not prepared. */
export function ifKnown<Value>(give: () => Value): Value | undefined {
  try {
    return give();
  } catch (error) {
    if (error instanceof FlowstateError) return undefined;
    throw error;
  }
}

/** What an atom is called with, as things are now; undefined when something that it requires is not there. */
export function argumentsOf(engine: Engine, { name, executeMapping }: Atom): Record<string, unknown> | undefined {
  const args: Record<string, unknown> = {};
  for (const argument of executeMapping.bindings.keys()) {
    const explanation = ifKnown(() => engine.explain(name, argument));
    if (explanation?.missing === null) setOwn(args, argument, explanation.value);
    else if (explanation?.isOptional !== true) return undefined;
  }
  return args;
}
