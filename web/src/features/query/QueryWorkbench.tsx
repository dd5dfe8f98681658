import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import './query.css';
import { capabilitiesQuery, querySchemaQuery } from '../../api/queries';
import { useMediaQuery } from '../../ui/useMediaQuery';
import { changeIdOf, type ResultRow } from './cell';
import type { KqlEditorHandle } from './kql/KqlEditor';
import type { KqlSetup } from './kql/protocol';
import { QueryEditorCard } from './QueryEditorCard';
import { ResultsCard } from './ResultsCard';
import { RowDrawer } from './RowDrawer';
import { SchemaTree } from './SchemaTree';
import { SAMPLES } from './samples';
import { useQueryRun } from './useQueryRun';

type Props = {
  ws: string;
  /** The query of the link, which is run at once; a sample if there is none. */
  linked: string | undefined;
  /** Told of each query that is run, so that the URL leads back to it. */
  onRan(query: string): void;
  onOpenChange(id: string): void;
};

export function QueryWorkbench({ ws, linked, onRan, onOpenChange }: Props) {
  const [text, setText] = useState<string>(linked ?? SAMPLES[0].query);
  const [ran, setRan] = useState<string>();
  const [openRow, setOpenRow] = useState<ResultRow>();
  const hasRoom = useMediaQuery(ROOM_FOR_SCHEMA);
  const [wantsSchema, setWantsSchema] = useState<boolean>();
  const showsSchema = wantsSchema ?? hasRoom;
  const editor = useRef<KqlEditorHandle>(null);
  const schema = useQuery(querySchemaQuery);
  const capabilities = useQuery(capabilitiesQuery);
  const { result, error, isPending, run, cancel } = useQueryRun(ws);

  const execute = useCallback(
    (query: string) => {
      setRan(query);
      onRan(query);
      run(query);
    },
    [onRan, run],
  );

  // Back, forward and links inside the page bring another query; what was just run is already here.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new link starts this.
  useEffect(() => {
    const query = linked ?? SAMPLES[0].query;
    if (query === ran) return;
    if (query !== text) {
      setText(query);
      editor.current?.replace(query);
    }
    execute(query);
  }, [linked]);

  const setup = useMemo<KqlSetup | undefined>(() => {
    if (!schema.data || capabilities.isPending) return undefined;
    const { operators, functions, aggregates } = capabilities.data ?? NOT_KNOWN;
    return { tables: schema.data.tables, support: { operators, functions, aggregates } };
  }, [schema.data, capabilities.isPending, capabilities.data]);

  const onSample = (query: string) => {
    editor.current?.replace(query);
    setText(query);
    execute(query);
  };
  const onOpen = (row: ResultRow) => {
    const id = result ? changeIdOf(result.columns, row) : undefined;
    if (id === undefined) setOpenRow(row);
    else onOpenChange(id);
  };

  /** Gives the place back to the editor and the rows where both have not enough. */
  const makeRoom = () => {
    if (!hasRoom) setWantsSchema(false);
  };

  return (
    <div className={`query-layout${showsSchema ? ' with-schema' : ''}`}>
      {showsSchema && (
        <SchemaTree
          schema={schema.data}
          onInsert={(name) => {
            editor.current?.insert(name);
            makeRoom();
          }}
          onSample={(query) => {
            onSample(query);
            makeRoom();
          }}
        />
      )}
      <div className="query-main">
        <QueryEditorCard
          text={text}
          setup={schema.error ? NO_SETUP : setup}
          isRunning={isPending}
          editor={editor}
          onChange={setText}
          onRun={execute}
          onCancel={cancel}
          onSample={onSample}
          showsSchema={showsSchema}
          onToggleSchema={() => setWantsSchema(!showsSchema)}
        />
        <ResultsCard
          ws={ws}
          query={ran}
          result={result}
          error={error}
          isRunning={isPending}
          onOpen={onOpen}
        />
      </div>
      {openRow && result && (
        <RowDrawer columns={result.columns} row={openRow} onClose={() => setOpenRow(undefined)} />
      )}
    </div>
  );
}

/** Below this width the tables and samples start out of the way. */
const ROOM_FOR_SCHEMA = '(min-width: 1280px)';
const NOT_KNOWN = { operators: [], functions: [], aggregates: [] };
/** Without the schema the editor still edits and runs. */
const NO_SETUP: KqlSetup = { tables: [], support: NOT_KNOWN };
