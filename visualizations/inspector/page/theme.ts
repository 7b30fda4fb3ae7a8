import { stateColours } from '../../colours.js';

/** Light or dark, as the reader asks for; as the system says while nobody asks. */
export type Theme = 'system' | 'light' | 'dark';

const SCHEMES: Readonly<Record<Theme, string>> = { system: 'light dark', light: 'light', dark: 'dark' };

export function showTheme(theme: Theme): void {
  document.documentElement.style.colorScheme = SCHEMES[theme];
}

/** Gives the style sheet the colours of states, those of all pictures. */
export function giveStateColours(): void {
  const { style } = document.documentElement;
  const dark = stateColours('dark');
  for (const [state, light] of stateColours('light')) {
    const { fill = light.fill, line = light.line, text = light.text } = dark.get(state) ?? {};
    style.setProperty(`--${state}-fill`, `light-dark(${light.fill}, ${fill})`);
    style.setProperty(`--${state}-line`, `light-dark(${light.line}, ${line})`);
    style.setProperty(`--${state}-text`, `light-dark(${light.text}, ${text})`);
  }
}
