import { BookOpen20Regular, Table20Regular } from '@fluentui/react-icons';
import type { QuerySchema } from '../../api/types';
import { LoadingRows } from '../../ui/LoadingRows';
import { SAMPLES } from './samples';

type Props = {
  schema: QuerySchema | undefined;
  onInsert(name: string): void;
  onSample(query: string): void;
};

/** The panel's id, for the button that shows and hides it. */
export const SCHEMA_PANEL = 'schema-panel';

/** Tables with their columns, each of which is inserted by a click, and the sample queries. */
export function SchemaTree({ schema, onInsert, onSample }: Props) {
  return (
    <aside className="card schema" id={SCHEMA_PANEL} aria-label="Tables and samples">
      <h2>
        <BookOpen20Regular aria-hidden />
        Samples
      </h2>
      <ul className="samples">
        {SAMPLES.map(({ name, query }) => (
          <li key={name}>
            <button type="button" onClick={() => onSample(query)}>
              {name}
            </button>
          </li>
        ))}
      </ul>
      <h2>
        <Table20Regular aria-hidden />
        Tables
      </h2>
      {!schema && <LoadingRows rows={4} height={16} label="Loading the tables" />}
      {schema &&
        ordered(schema).map((table) => <TableColumns key={table.name} table={table} onInsert={onInsert} />)}
    </aside>
  );
}

type Table = QuerySchema['tables'][number];

function TableColumns({ table, onInsert }: { table: Table; onInsert(name: string): void }) {
  return (
    <details open={table.name === FIRST[0]}>
      <summary>{table.name}</summary>
      <ul>
        {table.columns.map(({ name, type }) => (
          <li key={name}>
            <button type="button" title={`Insert ${name}`} onClick={() => onInsert(name)}>
              <span>{name}</span>
              <i>{type}</i>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** The tables that this product fills come first. */
const FIRST = ['ConfigurationChange', 'Coverage', 'Heartbeat'];

function ordered({ tables }: QuerySchema): Table[] {
  const rank = ({ name }: Table) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...tables].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}
