import type { languages } from 'monaco-editor/editor/editor.api.js';

/** Colours at once and without a schema, until the language service sends better ones. */
export const monarch: languages.IMonarchLanguage = {
  defaultToken: 'plain',
  ignoreCase: false,
  operators: words(
    'where count extend join limit order project project-away project-keep project-rename project-reorder render',
    'sort summarize distinct take top union mv-expand mv-apply parse parse-where sample make-series search find',
    'lookup evaluate let serialize as getschema print range',
  ),
  keywords: words(
    'by on and or in has has_any has_all contains startswith endswith matches regex between asc desc nulls first',
    'last kind inner leftouter true false null dynamic datetime timespan typeof with to step',
  ),
  tokenizer: {
    root: [
      [/\/\/.*$/, 'comment'],
      [/[hH]?@?'(?:[^'\\]|\\.)*'/, 'string'],
      [/[hH]?@?"(?:[^"\\]|\\.)*"/, 'string'],
      [/\d+(?:\.\d+)?(?:d|h|m|s|ms|tick|microsecond)?\b/, 'number'],
      [/[A-Za-z_]\w*(?=\s*\()/, { cases: byWord('function') }],
      [/[A-Za-z_][\w-]*/, { cases: byWord('identifier') }],
      [/[|(),;[\]{}]/, 'punctuation'],
      [/[=<>!~+\-*/%]+/, 'scalarOperator'],
    ],
  },
};

function words(...lines: string[]): string[] {
  return lines.flatMap((line) => line.split(' '));
}

function byWord(otherwise: string) {
  return { '@operators': 'queryOperator', '@keywords': 'keyword', '@default': otherwise };
}
