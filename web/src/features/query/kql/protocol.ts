/** What the page and the language worker say to each other. */

export type KqlTable = { name: string; columns: readonly { name: string; type: string }[] };

/** What of KQL the server answers; the language service knows all of it. */
export type KqlSupport = {
  operators: readonly string[];
  functions: readonly string[];
  aggregates: readonly string[];
};

export type KqlSetup = { tables: readonly KqlTable[]; support: KqlSupport };

export type KqlCompletion = {
  label: string;
  /** Inserted before the cursor, and after it. */
  before: string;
  after: string;
  kind: number;
  sort: string;
  filter: string;
};

export type KqlCompletions = { items: KqlCompletion[]; start: number };

export type KqlDiagnostic = {
  start: number;
  length: number;
  message: string;
  severity: string;
  code: string;
};

/** Start, length and kind of a coloured stretch. */
export type KqlToken = [start: number, length: number, kind: number];

/** Each operation with what it takes and what it gives. */
export type KqlOperations = {
  setUp: { takes: { setup: KqlSetup }; gives: true };
  complete: { takes: { text: string; offset: number }; gives: KqlCompletions };
  hover: { takes: { text: string; offset: number }; gives: string[] };
  diagnose: { takes: { text: string }; gives: KqlDiagnostic[] };
  classify: { takes: { text: string }; gives: KqlToken[] };
  format: { takes: { text: string }; gives: string };
};

export type KqlOperation = keyof KqlOperations;

export type KqlRequest = {
  [O in KqlOperation]: { id: number; operation: O } & KqlOperations[O]['takes'];
}[KqlOperation];

export type KqlAnswer = { id: number; value: unknown } | { id: number; error: string };
