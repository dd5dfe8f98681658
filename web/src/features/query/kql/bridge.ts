/**
 * The few names of Microsoft's language service that the worker uses. The library has no types for its bundles, which
 * are translated from C#: overloads have numbers (`$ctor6`) and collections need `Bridge.toArray`.
 */

export type BridgeList = { readonly __bridgeList: never };

export type CodeBlock = { Start: number; Length: number; Service: CodeService };

export type CodeService = {
  GetDiagnostics(): BridgeList;
  GetCompletionItems(position: number, options: unknown): { Items: BridgeList; EditStart: number };
  GetQuickInfo(position: number): { Items: BridgeList } | null;
  GetClassifications(start: number, length: number): { Classifications: BridgeList };
  GetFormattedText(options: unknown): { Text: string };
};

export type CodeScript = {
  Blocks: BridgeList;
  WithText(text: string): CodeScript;
  WithGlobals(globals: Globals): CodeScript;
  GetBlockAtPosition(position: number): CodeBlock | null;
};

export type Globals = { WithCluster(cluster: object): Globals; WithDatabase(database: object): Globals };

export type BridgeItem = {
  Kind: number;
  DisplayText: string;
  BeforeText: string | null;
  AfterText: string | null;
  OrderText: string;
  MatchText: string | null;
};
export type BridgeDiagnostic = {
  Start: number;
  Length: number;
  Message: string;
  Severity: string;
  Code: string;
};
export type BridgeToken = { Start: number; Length: number; Kind: number };

type Constructor = new (...args: unknown[]) => object;

export type KustoLibrary = {
  Language: {
    GlobalState: { Default: Globals };
    Symbols: {
      TableSymbol: { $ctor6: Constructor };
      ColumnSymbol: Constructor;
      ClusterSymbol: { ctor: Constructor };
      DatabaseSymbol: { $ctor2: Constructor };
      ScalarTypes: { GetSymbol(type: string): unknown };
    };
    Editor: {
      CodeScript: { From$1(text: string, globals: Globals): CodeScript };
      CompletionOptions: { Default: unknown };
      FormattingOptions: { Default: unknown };
      CompletionKind: Record<CompletionKindName, number>;
    };
  };
};

export type CompletionKindName =
  | 'Cluster'
  | 'Database'
  | 'QueryPrefix'
  | 'TabularPrefix'
  | 'BuiltInFunction'
  | 'AggregateFunction'
  | 'CommandPrefix'
  | 'Syntax';

export type BridgeLibrary = { toArray(list: BridgeList): unknown[] };
