import { Button, MessageBar, MessageBarBody, ProgressBar, Switch } from '@fluentui/react-components';
import { ArrowDownload20Regular } from '@fluentui/react-icons';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { downloadCsv } from '../../api/downloadCsv';
import { messageOf } from '../../api/problem';
import type { QueryResult } from '../../api/types';
import { EmptyState } from '../../ui/EmptyState';
import { FormError } from '../../ui/FormError';
import { formatCount, formatQuantity } from '../../ui/format';
import { filledColumns, type ResultRow } from './cell';
import { QueryError } from './QueryError';
import { ResultGrid } from './ResultGrid';

type Props = {
  ws: string;
  /** The query that the result answers. */
  query: string | undefined;
  result: QueryResult | undefined;
  error: unknown;
  isRunning: boolean;
  onOpen(row: ResultRow): void;
};

/** A table with more columns than this starts without its empty ones. */
const MANY_COLUMNS = 12;

export function ResultsCard({ ws, query, result, error, isRunning, onOpen }: Props) {
  const [hidesEmpty, setHidesEmpty] = useState(true);
  const download = useMutation({ mutationFn: (text: string) => downloadCsv(ws, text, `query-${ws}.csv`) });
  const isWide = (result?.columns.length ?? 0) > MANY_COLUMNS;
  const columns = useMemo(() => {
    if (!result) return [];
    const isTrimmed = result.columns.length > MANY_COLUMNS && hidesEmpty && result.rows.length > 0;
    return isTrimmed ? filledColumns(result) : result.columns.map((_, index) => index);
  }, [result, hidesEmpty]);
  return (
    <section className="card query-results" aria-label="Results">
      {isRunning && <ProgressBar aria-label="Running the query" className="query-progress" />}
      <div className="bar">
        <h2 className="bar-title">Results</h2>
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
        <Button
          size="small"
          icon={<ArrowDownload20Regular />}
          disabled={!result?.rows.length || query === undefined || download.isPending}
          onClick={() => query !== undefined && download.mutate(query)}
        >
          CSV
        </Button>
      </div>
      {download.error && <FormError>{messageOf(download.error)}</FormError>}
      {result?.truncated && !error && (
        <MessageBar intent="warning">
          <MessageBarBody>
            Only the first {formatCount(result.rows.length)} rows are shown. Narrow the query, or summarize.
          </MessageBarBody>
        </MessageBar>
      )}
      {error ? (
        <QueryError error={error} />
      ) : result ? (
        <ResultGrid result={result} columns={columns} onOpen={onOpen} />
      ) : (
        <EmptyState title={isRunning ? 'Running…' : 'Run a query'}>
          {isRunning ? 'The rows appear here.' : 'Press Shift+Enter to see its rows here.'}
        </EmptyState>
      )}
    </section>
  );
}

function Stats({ result }: { result: QueryResult }) {
  const { elapsedMs, scannedRows } = result.stats;
  const scanned =
    scannedRows === undefined || scannedRows === null ? '' : ` · ${formatCount(scannedRows)} scanned`;
  return (
    <>
      {formatQuantity(result.rows.length, 'row')} · {formatCount(elapsedMs)} ms
      <span className="wide-only">{scanned}</span>
    </>
  );
}
