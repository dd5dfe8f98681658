import { MessageBar, MessageBarBody, ProgressBar, Switch, Tab, TabList } from '@fluentui/react-components';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { QueryResult } from '../../api/types';
import { ExportMenu } from '../../domain/ExportMenu';
import { EmptyState } from '../../ui/EmptyState';
import { formatCount, formatQuantity, formatTimeZone, readersTimeZone } from '../../ui/format';
import { filledColumns, type ResultRow } from './cell';
import { chartModel } from './chart/model';
import { renderingOf } from './chart/render';
import { QueryError } from './QueryError';
import { ResultGrid } from './ResultGrid';

const ResultChart = lazy(() => import('./chart/ResultChart'));

type Props = {
  ws: string;
  /** The query that the result answers. */
  query: string | undefined;
  result: QueryResult | undefined;
  error: unknown;
  isRunning: boolean;
  onOpen(row: ResultRow): void;
};

type ResultTab = 'rows' | 'chart';

/** A table with more columns than this starts without its empty ones. */
const MANY_COLUMNS = 12;

export function ResultsCard({ ws, query, result, error, isRunning, onOpen }: Props) {
  const [hidesEmpty, setHidesEmpty] = useState(true);
  const [wanted, setWanted] = useState<ResultTab>('chart');
  const { isDrawn, model, excuse } = useMemo(() => drawingOf(query, result), [query, result]);
  const tab = model ? wanted : 'rows';
  const isWide = tab === 'rows' && (result?.columns.length ?? 0) > MANY_COLUMNS;
  return (
    <section className="card query-results" aria-label="Results">
      {isRunning && <ProgressBar aria-label="Running the query" className="query-progress" />}
      <div className="bar">
        {isDrawn ? (
          <ResultTabs tab={tab} canDraw={model !== undefined} onTab={setWanted} />
        ) : (
          <h2 className="bar-title">Results</h2>
        )}
        <span className="muted small tabular" role="status">
          {result && !error && <Stats result={result} />}
        </span>
        <span className="grow" />
        {isWide && (
          <Switch
            className="wide-only"
            label="Hide empty columns"
            checked={hidesEmpty}
            onChange={(_, { checked }) => setHidesEmpty(checked)}
          />
        )}
        <ExportMenu ws={ws} query={query} name={`query-${ws}`} isEmpty={!result?.rows.length} size="small" />
      </div>
      {result && !error && <Notes result={result} excuse={excuse} />}
      {renderAnswer()}
    </section>
  );

  function renderAnswer() {
    if (error) return <QueryError error={error} />;
    if (!result) {
      return (
        <EmptyState title={isRunning ? 'Running…' : 'Run a query'}>
          {isRunning ? 'The rows appear here.' : 'Press Shift+Enter to see its rows here.'}
        </EmptyState>
      );
    }
    if (tab === 'chart' && model) {
      return (
        <Suspense fallback={<EmptyState title="Drawing…" />}>
          <ResultChart model={model} />
        </Suspense>
      );
    }
    return <Rows result={result} hidesEmpty={hidesEmpty} onOpen={onOpen} />;
  }
}

function ResultTabs(props: { tab: ResultTab; canDraw: boolean; onTab(tab: ResultTab): void }) {
  const { tab, canDraw, onTab } = props;
  return (
    <TabList
      size="small"
      aria-label="The answer as"
      selectedValue={tab}
      onTabSelect={(_, { value }) => onTab(value === 'chart' ? 'chart' : 'rows')}
    >
      <Tab value="rows">Results</Tab>
      <Tab value="chart" disabled={!canDraw}>
        Chart
      </Tab>
    </TabList>
  );
}

type RowsProps = { result: QueryResult; hidesEmpty: boolean; onOpen(row: ResultRow): void };

function Rows({ result, hidesEmpty, onOpen }: RowsProps) {
  const columns = useMemo(() => {
    const isTrimmed = result.columns.length > MANY_COLUMNS && hidesEmpty && result.rows.length > 0;
    return isTrimmed ? filledColumns(result) : result.columns.map((_, index) => index);
  }, [result, hidesEmpty]);
  return <ResultGrid result={result} columns={columns} onOpen={onOpen} />;
}

/** What the reader must know of the answer before they trust it. */
function Notes({ result, excuse }: { result: QueryResult; excuse: string | undefined }) {
  return (
    <>
      {excuse && (
        <MessageBar intent="info">
          <MessageBarBody>{excuse}</MessageBarBody>
        </MessageBar>
      )}
      {result.truncated && (
        <MessageBar intent="warning">
          <MessageBarBody>
            Only the first {formatCount(result.rows.length)} rows are shown. Narrow the query, or summarize.
          </MessageBarBody>
        </MessageBar>
      )}
    </>
  );
}

/** The chart that the query asks for, or why there is none. */
function drawingOf(query: string | undefined, result: QueryResult | undefined) {
  const rendering = query === undefined ? undefined : renderingOf(query);
  if (rendering === undefined) return { isDrawn: false, model: undefined, excuse: undefined };
  if ('unknown' in rendering) {
    const excuse = `The page does not draw a ${rendering.unknown}; the answer is shown as a table.`;
    return { isDrawn: false, model: undefined, excuse };
  }
  const model = result && chartModel(result, rendering.kind);
  const excuse =
    result && result.rows.length > 0 && !model
      ? `A ${rendering.kind} needs columns that this answer does not have; it is shown as a table.`
      : undefined;
  return { isDrawn: true, model, excuse };
}

function Stats({ result }: { result: QueryResult }) {
  const { elapsedMs, scannedRows } = result.stats;
  const hasTimes = result.columns.some(({ type }) => type === 'datetime');
  const scanned =
    scannedRows === undefined || scannedRows === null ? '' : ` · ${formatCount(scannedRows)} scanned`;
  return (
    <>
      {formatQuantity(result.rows.length, 'row')} · {formatQuantity(result.columns.length, 'column')}
      <span className="wide-only">
        {' '}
        · {formatCount(elapsedMs)} ms{scanned}
        {hasTimes && ` · times in ${formatTimeZone(readersTimeZone(), new Date())}`}
      </span>
    </>
  );
}
