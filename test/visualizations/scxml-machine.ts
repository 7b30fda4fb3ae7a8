import { DOMParser, type Element } from '@xmldom/xmldom';
import { type AnyStateMachine, createMachine } from 'xstate';

const SCXML = 'http://www.w3.org/2005/07/scxml';
const OWN = 'urn:flowstate:scxml';
const STATES: readonly string[] = ['state', 'parallel', 'final', 'history'];

/** Reads SCXML. @throws what is not well-formed. */
export function parseScxml(text: string): Element {
  const parser = new DOMParser({
    onError: (level, message) => {
      throw new SyntaxError(`${level}: ${message}`);
    },
  });
  const root = parser.parseFromString(text, 'text/xml').documentElement;
  if (root === null) throw new SyntaxError('There is no element');
  return root;
}

export function childrenOf(element: Element, ...names: string[]): Element[] {
  return Array.from(element.childNodes)
    .filter((node): node is Element => node.nodeType === 1)
    .filter(({ localName, namespaceURI }) => namespaceURI === SCXML && names.includes(localName ?? ''));
}

/** All states, the outermost first. */
export function* statesIn(element: Element): Generator<Element> {
  for (const child of childrenOf(element, ...STATES)) {
    yield child;
    yield* statesIn(child);
  }
}

export function attribute(element: Element, name: string): string | undefined {
  return element.getAttribute(name) ?? undefined;
}

/** Names of what is done: elements of the namespace of flowstate. */
export function actionsOf(element: Element | undefined): string[] {
  return Array.from(element?.childNodes ?? [])
    .filter((node): node is Element => node.nodeType === 1)
    .filter(({ namespaceURI, localName }) => namespaceURI === OWN && localName === 'action')
    .map((action) => action.getAttribute('name') ?? '');
}

/** The machine that SCXML of ours describes, in XState. Conditions are names of guards. */
export function machineFromScxml(text: string): AnyStateMachine {
  const root = parseScxml(text);
  return createMachine({ ...configOf(root), id: '(scxml)' });
}

/** For XState a dot in an id leads to a state inside. */
function withoutDots(id: string): string {
  return id.replaceAll('.', '/');
}

function configOf(element: Element): object {
  const { localName } = element;
  const id = attribute(element, 'id');
  const states = childrenOf(element, ...STATES).map((state) => {
    return [withoutDots(attribute(state, 'id') ?? ''), configOf(state)] as const;
  });
  const on: Record<string, object[]> = {};
  for (const transition of childrenOf(element, 'transition')) {
    const event = transition.getAttributeNS(OWN, 'event') ?? attribute(transition, 'event') ?? '';
    const target = attribute(transition, 'target');
    const type = event.replace(/^done\.state\.(.*)$/, (_, of: string) => `xstate.done.state.${withoutDots(of)}`);
    (on[type] ??= []).push({
      ...(target === undefined ? {} : { target: target.split(' ').map((each) => `#${withoutDots(each)}`) }),
      ...(transition.hasAttribute('cond') ? { guard: attribute(transition, 'cond') } : {}),
      ...(target !== undefined && !transition.hasAttribute('type') ? { reenter: true } : {}),
    });
  }
  const initial = attribute(element, 'initial');
  return {
    ...(id === undefined ? {} : { id: withoutDots(id) }),
    ...(localName === 'final' || localName === 'parallel' ? { type: localName } : {}),
    ...(initial === undefined ? {} : { initial: withoutDots(initial) }),
    ...(states.length === 0 ? {} : { states: Object.fromEntries(states) }),
    on,
  };
}
