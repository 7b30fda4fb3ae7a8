export interface Colours {
  readonly fill: string;
  readonly line: string;
  readonly text: string;
}

/** The state in which a machine is, whatever it is called. */
export const ACTIVE = 'ACTIVE';

/** By state of an atom or a flow. The text stands out from the fill by at least 7 : 1. */
const LIGHT: Readonly<Record<string, Colours>> = {
  PENDING: { fill: '#f6f8fa', line: '#8c959f', text: '#24292f' },
  RUNNING: { fill: '#ddf4ff', line: '#0969da', text: '#033d8b' },
  SUCCESS: { fill: '#dafbe1', line: '#1a7f37', text: '#044f1e' },
  FAILURE: { fill: '#ffebe9', line: '#cf222e', text: '#82071e' },
  RETRYING: { fill: '#fbefff', line: '#8250df', text: '#512a97' },
  REVERTING: { fill: '#fff8c5', line: '#bf8700', text: '#4d2d00' },
  REVERTED: { fill: '#fff1e5', line: '#bc4c00', text: '#5c2200' },
  REVERT_FAILURE: { fill: '#ffcecb', line: '#a40e26', text: '#660018' },
  IGNORE: { fill: '#eaeef2', line: '#afb8c1', text: '#424a53' },
  RESUMING: { fill: '#ddf4ff', line: '#0969da', text: '#033d8b' },
  SUSPENDING: { fill: '#fff8c5', line: '#bf8700', text: '#4d2d00' },
  SUSPENDED: { fill: '#fff8c5', line: '#bf8700', text: '#4d2d00' },
  [ACTIVE]: { fill: '#ddf4ff', line: '#0969da', text: '#033d8b' },
};

const DARK: Readonly<Record<string, Colours>> = {
  PENDING: { fill: '#21262d', line: '#6e7681', text: '#e6edf3' },
  RUNNING: { fill: '#0c2d6b', line: '#388bfd', text: '#cae8ff' },
  SUCCESS: { fill: '#033a16', line: '#2ea043', text: '#aff5b4' },
  FAILURE: { fill: '#67060c', line: '#f85149', text: '#ffdcd7' },
  RETRYING: { fill: '#3c1e70', line: '#a371f7', text: '#eddeff' },
  REVERTING: { fill: '#4b2900', line: '#d29922', text: '#f8e3a1' },
  REVERTED: { fill: '#5a1e02', line: '#db6d28', text: '#ffdfb6' },
  REVERT_FAILURE: { fill: '#490202', line: '#ff7b72', text: '#ffdcd7' },
  IGNORE: { fill: '#161b22', line: '#484f58', text: '#b1bac4' },
  RESUMING: { fill: '#0c2d6b', line: '#388bfd', text: '#cae8ff' },
  SUSPENDING: { fill: '#4b2900', line: '#d29922', text: '#f8e3a1' },
  SUSPENDED: { fill: '#4b2900', line: '#d29922', text: '#f8e3a1' },
  [ACTIVE]: { fill: '#0c2d6b', line: '#388bfd', text: '#cae8ff' },
};

/** States that have a colour, with it. */
export function stateColours(theme: 'light' | 'dark'): ReadonlyMap<string, Colours> {
  return new Map(Object.entries(theme === 'light' ? LIGHT : DARK));
}
