/// <reference lib="webworker" />
/** Microsoft's KQL language service, in a worker of its own because it takes seconds to wake. */

import { Bridge, Kusto } from 'virtual:kusto';
import type {
  BridgeDiagnostic,
  BridgeItem,
  BridgeList,
  BridgeToken,
  CodeBlock,
  CodeScript,
  Globals,
} from './bridge';
import type {
  KqlAnswer,
  KqlCompletions,
  KqlDiagnostic,
  KqlRequest,
  KqlSetup,
  KqlSupport,
  KqlToken,
} from './protocol';
import { insertedText, isSupported, KIND } from './support';

const { Symbols, Editor, GlobalState } = Kusto.Language;

let globals: Globals = GlobalState.Default;
let support: KqlSupport = { operators: [], functions: [], aggregates: [] };
let last: { text: string; script: CodeScript } | undefined;

self.addEventListener('message', ({ data }: MessageEvent<KqlRequest>) => {
  const answer = (message: KqlAnswer) => self.postMessage(message);
  try {
    answer({ id: data.id, value: handle(data) });
  } catch (error) {
    answer({ id: data.id, error: error instanceof Error ? error.message : String(error) });
  }
});

function handle(request: KqlRequest): unknown {
  switch (request.operation) {
    case 'setUp':
      return setUp(request.setup);
    case 'complete':
      return complete(request.text, request.offset);
    case 'hover':
      return hover(request.text, request.offset);
    case 'diagnose':
      return blocksOf(request.text).flatMap(diagnose);
    case 'classify':
      return blocksOf(request.text).flatMap(classify);
    case 'format':
      return blocksOf(request.text)
        .map((block) => format(block, request.text))
        .join('');
  }
}

function setUp(setup: KqlSetup): true {
  const column = ({ name, type }: { name: string; type: string }) =>
    new Symbols.ColumnSymbol(name, Symbols.ScalarTypes.GetSymbol(type), null, null, null, null);
  const tables = setup.tables.map(
    ({ name, columns }) => new Symbols.TableSymbol.$ctor6(name, columns.map(column), null),
  );
  const database = new Symbols.DatabaseSymbol.$ctor2('workspace', null, tables);
  const cluster = new Symbols.ClusterSymbol.ctor('steadfast', [database]);
  globals = GlobalState.Default.WithCluster(cluster).WithDatabase(database);
  support = setup.support;
  last = undefined;
  warmUp(setup.tables[0]?.name ?? 'print 1');
  return true;
}

/** The first binding builds the grammar, which takes seconds; better now than at the first key. */
function warmUp(table: string): void {
  const text = `${table}\n| where `;
  diagnoseAt(text);
  complete(text, text.length);
}

function diagnoseAt(text: string): void {
  blocksOf(text).forEach(diagnose);
}

function complete(text: string, offset: number): KqlCompletions {
  const block = scriptOf(text).GetBlockAtPosition(offset);
  if (!block) return { items: [], start: offset };
  const found = block.Service.GetCompletionItems(offset, Editor.CompletionOptions.Default);
  const items = listOf<BridgeItem>(found.Items)
    .filter(({ Kind }) => Kind !== KIND.cluster && Kind !== KIND.database)
    .filter((item) => isSupported(item.Kind, item.MatchText ?? item.DisplayText, support))
    .map((item) => ({
      label: item.DisplayText,
      before: insertedText(item.BeforeText),
      after: item.AfterText ?? '',
      kind: item.Kind,
      sort: item.OrderText,
      filter: item.MatchText ?? item.DisplayText,
    }));
  return { items, start: found.EditStart };
}

function hover(text: string, offset: number): string[] {
  const info = scriptOf(text).GetBlockAtPosition(offset)?.Service.GetQuickInfo(offset);
  return info ? listOf<{ Text: string }>(info.Items).map(({ Text }) => Text) : [];
}

function diagnose(block: CodeBlock): KqlDiagnostic[] {
  return listOf<BridgeDiagnostic>(block.Service.GetDiagnostics()).map((diagnostic) => ({
    start: diagnostic.Start,
    length: diagnostic.Length,
    message: diagnostic.Message,
    severity: diagnostic.Severity,
    code: diagnostic.Code,
  }));
}

function classify(block: CodeBlock): KqlToken[] {
  const { Classifications } = block.Service.GetClassifications(block.Start, block.Length);
  return listOf<BridgeToken>(Classifications).map(({ Start, Length, Kind }) => [Start, Length, Kind]);
}

/** Formats a block and keeps the blank lines after it, which separate it from the next. */
function format(block: CodeBlock, text: string): string {
  const own = text.slice(block.Start, block.Start + block.Length);
  const tail = /\s*$/.exec(own)?.[0] ?? '';
  return block.Service.GetFormattedText(Editor.FormattingOptions.Default).Text.trimEnd() + tail;
}

function blocksOf(text: string): CodeBlock[] {
  return listOf<CodeBlock>(scriptOf(text).Blocks);
}

function scriptOf(text: string): CodeScript {
  if (last?.text !== text) {
    const script = last
      ? last.script.WithText(text).WithGlobals(globals)
      : Editor.CodeScript.From$1(text, globals);
    last = { text, script };
  }
  return last.script;
}

function listOf<T>(list: BridgeList): T[] {
  // The library's lists have no element type; each caller names the one that the C# source gives.
  return (list ? Bridge.toArray(list) : []) as T[];
}
