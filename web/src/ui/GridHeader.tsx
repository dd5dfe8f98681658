import { ArrowDown16Filled, ArrowUp16Filled } from '@fluentui/react-icons';
import { type Column, columnClass, nextOrder, type SortOrder } from './column';

type Props<T> = {
  columns: readonly Column<T>[];
  order: SortOrder | undefined;
  onOrder(order: SortOrder | undefined): void;
};

export function GridHeader<T>({ columns, order, onOrder }: Props<T>) {
  return (
    <div className="grid-header" role="row" aria-rowindex={1} tabIndex={-1}>
      {columns.map((column) => {
        const own = order?.by === column.id ? order : undefined;
        return (
          <div
            key={column.id}
            role="columnheader"
            tabIndex={-1}
            aria-sort={own ? (own.descending ? 'descending' : 'ascending') : undefined}
            className={columnClass('grid-heading', { ...column, mono: false })}
          >
            {column.sortable === false ? (
              <span className={column.header ? undefined : 'visually-hidden'}>
                {column.header || 'Actions'}
              </span>
            ) : (
              <button type="button" onClick={() => onOrder(nextOrder(order, column.id))}>
                {column.header}
                {own && (own.descending ? <ArrowDown16Filled /> : <ArrowUp16Filled />)}
              </button>
            )}
          </div>
        );
      })}
    </div>
  );
}
