import { language } from './languageClient';
import { monaco } from './monaco';
import { monarch } from './monarch';
import type { KqlCompletion } from './protocol';
import { KIND } from './support';
import { defineThemes } from './themes';
import { encodeTokens, TOKEN_NAMES } from './tokens';

export const KQL = 'kusto';

let isRegistered = false;

/** Teaches the editor KQL; once for the whole page. */
export function registerKql(): void {
  if (isRegistered) return;
  isRegistered = true;
  monaco.languages.register({ id: KQL, aliases: ['KQL'] });
  monaco.languages.setLanguageConfiguration(KQL, CONFIGURATION);
  monaco.languages.setMonarchTokensProvider(KQL, monarch);
  monaco.languages.registerCompletionItemProvider(KQL, completions);
  monaco.languages.registerHoverProvider(KQL, hovers);
  monaco.languages.registerDocumentFormattingEditProvider(KQL, formatting);
  monaco.languages.registerDocumentSemanticTokensProvider(KQL, colours);
  defineThemes();
}

/** The text as the language service counts it: one character for a line's end. */
export function textOf(model: monaco.editor.ITextModel): string {
  return model.getValue(monaco.editor.EndOfLinePreference.LF);
}

const CONFIGURATION: monaco.languages.LanguageConfiguration = {
  comments: { lineComment: '//' },
  brackets: [
    ['(', ')'],
    ['[', ']'],
    ['{', '}'],
  ],
  autoClosingPairs: [
    { open: '(', close: ')' },
    { open: '[', close: ']' },
    { open: '{', close: '}' },
    { open: "'", close: "'", notIn: ['string'] },
    { open: '"', close: '"', notIn: ['string'] },
  ],
  wordPattern: /[A-Za-z_$][\w$-]*|\d+[a-z]*/,
};

const completions: monaco.languages.CompletionItemProvider = {
  triggerCharacters: [' ', '|', '(', ',', '.', '\n', '"', "'"],
  async provideCompletionItems(model, position) {
    if (!(await language.ready())) return { suggestions: [] };
    const offset = model.getOffsetAt(position);
    const { items, start } = await language.call('complete', { text: textOf(model), offset });
    const from = model.getPositionAt(start);
    const range = new monaco.Range(from.lineNumber, from.column, position.lineNumber, position.column);
    return { suggestions: items.map((item) => suggestion(item, range)) };
  },
};

function suggestion(item: KqlCompletion, range: monaco.IRange): monaco.languages.CompletionItem {
  return {
    label: item.label,
    kind: ITEM_KIND[item.kind] ?? monaco.languages.CompletionItemKind.Text,
    sortText: item.sort,
    filterText: item.filter,
    range,
    ...(item.after
      ? {
          // The cursor ends between the two, as inside the brackets of a function.
          insertText: `${escapeSnippet(item.before)}$0${escapeSnippet(item.after)}`,
          insertTextRules: monaco.languages.CompletionItemInsertTextRule.InsertAsSnippet,
        }
      : { insertText: item.before }),
  };
}

function escapeSnippet(text: string): string {
  return text.replace(/[$}\\]/g, '\\$&');
}

const { CompletionItemKind: Item } = monaco.languages;
const ITEM_KIND: Record<number, monaco.languages.CompletionItemKind> = {
  [KIND.keyword]: Item.Keyword,
  [KIND.queryPrefix]: Item.Keyword,
  [KIND.scalarInfix]: Item.Operator,
  [KIND.scalarPrefix]: Item.Constructor,
  [KIND.renderChart]: Item.Enum,
  [KIND.column]: Item.Field,
  [KIND.table]: Item.Struct,
  [KIND.builtInFunction]: Item.Function,
  [KIND.localFunction]: Item.Function,
  [KIND.databaseFunction]: Item.Function,
  [KIND.aggregateFunction]: Item.Method,
  [KIND.parameter]: Item.Variable,
  [KIND.variable]: Item.Variable,
};

const hovers: monaco.languages.HoverProvider = {
  async provideHover(model, position) {
    if (!(await language.ready())) return null;
    const texts = await language.call('hover', { text: textOf(model), offset: model.getOffsetAt(position) });
    if (texts.length === 0) return null;
    const [signature, ...rest] = texts;
    const code = { value: `\`\`\`${KQL}\n${signature}\n\`\`\`` };
    return { contents: [code, ...rest.map((value) => ({ value }))] };
  },
};

const formatting: monaco.languages.DocumentFormattingEditProvider = {
  async provideDocumentFormattingEdits(model) {
    if (!(await language.ready())) return [];
    const text = await language.call('format', { text: textOf(model) });
    return [{ range: model.getFullModelRange(), text }];
  },
};

const colours: monaco.languages.DocumentSemanticTokensProvider = {
  getLegend: () => ({ tokenTypes: [...TOKEN_NAMES], tokenModifiers: [] }),
  async provideDocumentSemanticTokens(model) {
    if (!(await language.ready())) return { data: new Uint32Array() };
    const version = model.getVersionId();
    const tokens = await language.call('classify', { text: textOf(model) });
    // Places in a text that is no more would colour the wrong words. The editor takes an error with this word as
    // "not now", keeps the colours that it has and asks again.
    if (model.isDisposed() || model.getVersionId() !== version) throw new Error('busy: the text has changed');
    return { data: encodeTokens(tokens, (offset) => model.getPositionAt(offset)) };
  },
  releaseDocumentSemanticTokens: () => undefined,
};
