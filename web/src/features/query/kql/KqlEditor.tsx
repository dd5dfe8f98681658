import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import type { Diagnostic } from '../../../api/types';
import { useTheme } from '../../../ui/theme';
import { blockAround } from './block';
import { language } from './languageClient';
import { type Mistake, mergeMistakes, serverMistake } from './markers';
import { monaco } from './monaco';
import type { KqlSetup } from './protocol';
import { KQL, registerKql, textOf } from './registerKql';
import { DARK_THEME, LIGHT_THEME } from './themes';

export type KqlEditorHandle = { format(): void; insert(text: string): void; replace(text: string): void };

type Props = {
  ref: Ref<KqlEditorHandle>;
  /** The text at first; afterwards the editor owns it and tells of changes. */
  initial: string;
  /** What the server says of the text as it is now. */
  diagnostics: readonly Diagnostic[];
  setup: KqlSetup;
  onChange(text: string): void;
  /** Given what is selected, or else the query that the cursor stands in. */
  onRun(text: string): void;
  onReady(): void;
};

const DIAGNOSE_PAUSE_MILLIS = 300;
const MARKERS = 'kql';

export default function KqlEditor({ ref, initial, diagnostics, setup, onChange, onRun, onReady }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<monaco.editor.IStandaloneCodeEditor>(undefined);
  const local = useRef<readonly Mistake[]>([]);
  const { isDark } = useTheme();
  const latest = useRef({ onChange, onRun, onReady, diagnostics });
  latest.current = { onChange, onRun, onReady, diagnostics };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once and reads the latest props.
  useEffect(() => {
    if (!host.current) return undefined;
    registerKql();
    const model = monaco.editor.createModel(initial, KQL);
    const made = monaco.editor.create(host.current, { model, ...OPTIONS });
    editor.current = made;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const diagnose = async () => {
      if (!(await language.ready())) return;
      const version = model.getVersionId();
      const found = await language.call('diagnose', { text: textOf(model) });
      if (model.isDisposed() || model.getVersionId() !== version) return;
      local.current = found.map((one) => localMistake(model, one));
      mark(model, mergeMistakes(local.current, latest.current.diagnostics.map(serverMistake)));
    };
    const schedule = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void diagnose(), DIAGNOSE_PAUSE_MILLIS);
    };
    const changes = model.onDidChangeContent(() => {
      latest.current.onChange(textOf(model));
      schedule();
    });
    made.addAction({
      id: 'kql.run',
      label: 'Run query',
      keybindings: [monaco.KeyMod.Shift | monaco.KeyCode.Enter, monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter],
      contextMenuGroupId: 'navigation',
      run: () => latest.current.onRun(chosenText(made, model)),
    });
    language.start(setup).then(
      () => {
        latest.current.onReady();
        schedule();
      },
      // Without the language service the editor still edits and runs.
      () => undefined,
    );
    return () => {
      clearTimeout(timer);
      changes.dispose();
      made.dispose();
      model.dispose();
    };
  }, []);

  useEffect(() => {
    const model = editor.current?.getModel();
    if (model) mark(model, mergeMistakes(local.current, diagnostics.map(serverMistake)));
  }, [diagnostics]);

  useEffect(() => monaco.editor.setTheme(isDark ? DARK_THEME : LIGHT_THEME), [isDark]);

  useImperativeHandle(ref, () => ({
    format: () => void editor.current?.getAction('editor.action.formatDocument')?.run(),
    insert: (text) => {
      editor.current?.focus();
      editor.current?.trigger('schema', 'type', { text });
    },
    replace: (text) => {
      editor.current?.setValue(text);
      editor.current?.focus();
    },
  }));

  return <div ref={host} className="kql-editor" data-tabster={TAB_IS_THE_EDITORS} />;
}

/** Else the component library moves the focus at Tab before the editor, which accepts a suggestion by it, is asked. */
const TAB_IS_THE_EDITORS = JSON.stringify({ focusable: { ignoreKeydown: { Tab: true } } });

const OPTIONS: monaco.editor.IStandaloneEditorConstructionOptions = {
  ariaLabel: 'KQL query editor. Shift+Enter runs the query. Ctrl+M lets Tab move the focus.',
  automaticLayout: true,
  minimap: { enabled: false },
  fontFamily: '"JetBrains Mono Variable", Consolas, monospace',
  fontSize: 13,
  lineHeight: 20,
  lineNumbersMinChars: 3,
  padding: { top: 8, bottom: 8 },
  overviewRulerLanes: 0,
  scrollBeyondLastLine: false,
  renderLineHighlight: 'line',
  fixedOverflowWidgets: true,
  'semanticHighlighting.enabled': true,
  wordBasedSuggestions: 'off',
  acceptSuggestionOnEnter: 'smart',
  quickSuggestions: { strings: false, comments: false, other: true },
  suggest: { showWords: false, localityBonus: false },
  scrollbar: { alwaysConsumeMouseWheel: false },
};

function chosenText(editor: monaco.editor.ICodeEditor, model: monaco.editor.ITextModel): string {
  const selection = editor.getSelection();
  const selected = selection ? model.getValueInRange(selection) : '';
  if (selected.trim()) return selected;
  const { first, last } = blockAround(model.getLinesContent(), editor.getPosition()?.lineNumber ?? 1);
  const block = model
    .getLinesContent()
    .slice(first - 1, last)
    .join('\n');
  return block.trim() ? block : textOf(model);
}

function localMistake(
  model: monaco.editor.ITextModel,
  found: { start: number; length: number; message: string; code: string; severity: string },
): Mistake {
  const from = model.getPositionAt(found.start);
  const to = model.getPositionAt(found.start + Math.max(1, found.length));
  return {
    message: found.message,
    code: found.code,
    severity: SEVERITY[found.severity] ?? 'hint',
    startLineNumber: from.lineNumber,
    startColumn: from.column,
    endLineNumber: to.lineNumber,
    endColumn: to.column,
  };
}

const SEVERITY: Record<string, Mistake['severity']> = { Error: 'error', Warning: 'warning' };

function mark(model: monaco.editor.ITextModel, mistakes: readonly Mistake[]): void {
  monaco.editor.setModelMarkers(
    model,
    MARKERS,
    mistakes.map((mistake) => ({ ...mistake, severity: MARKER_SEVERITY[mistake.severity] })),
  );
}

const MARKER_SEVERITY = {
  error: monaco.MarkerSeverity.Error,
  warning: monaco.MarkerSeverity.Warning,
  hint: monaco.MarkerSeverity.Hint,
};
