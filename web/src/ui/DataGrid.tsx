import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import './grid.css';
import { type Column, columnClass, type SortOrder, shownColumns, sortRows, tracksOf } from './column';
import { GridHeader } from './GridHeader';
import { NARROW, useMediaQuery } from './useMediaQuery';

type Props<T> = {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowId(row: T): string;
  rowHeight: number;
  /** On narrow screens, where rows stack what columns show; the same if absent. */
  narrowRowHeight?: number;
  /** Any CSS height; a longer list scrolls inside it. */
  maxHeight?: string;
  /** True if the grid takes all the height that there is. */
  fills?: boolean;
  onOpen?(row: T): void;
  selectedId?: string;
  /** Shown in place of rows when there are none. */
  empty?: React.ReactNode;
  /** Given when somebody else sorts, such as the server; without it the grid sorts the rows it has. */
  order?: SortOrder | undefined;
  onOrder?(order: SortOrder | undefined): void;
  /** Called when the last rows come into view, to fetch more. */
  onEnd?(): void;
  /** How many rows there are in all, when not all are loaded. */
  total?: number;
  /** The grid scrolls sideways below this width instead of squeezing its columns. */
  minWidth?: number;
};

const OVERSCAN = 12;
const PAGE = 12;

/**
 * The virtualised, sortable, keyboard-driven grid of the whole product.
 *
 * Focus stays on the grid and `aria-activedescendant` names the current row, so a row that scrolls out of view may
 * unmount without taking the focus with it.
 */
export function DataGrid<T>(props: Props<T>) {
  const { rows, columns, rowId, onOpen, selectedId, onEnd } = props;
  const isNarrow = useMediaQuery(NARROW);
  const rowHeight = (isNarrow ? props.narrowRowHeight : undefined) ?? props.rowHeight;
  const [ownOrder, setOwnOrder] = useState<SortOrder>();
  const order = props.onOrder ? props.order : ownOrder;
  const sorted = useMemo(
    () => (props.onOrder ? rows : sortRows(rows, columns, ownOrder)),
    [rows, columns, ownOrder, props.onOrder],
  );

  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was measured is of the height before.
  useEffect(() => virtualizer.measure(), [rowHeight, virtualizer]);

  const gridId = useId();
  const [active, setActive] = useState(0);
  const count = sorted.length;
  const current = Math.min(active, count - 1);
  const visible = virtualizer.getVirtualItems();
  const lastVisible = visible.at(-1)?.index ?? 0;

  useEffect(() => {
    if (count > 0 && lastVisible >= count - 1) onEnd?.();
  }, [count, lastVisible, onEnd]);

  // What is stepped through elsewhere is the current row here, so that the list goes on from it.
  const selected = selectedId ? sorted.findIndex((row) => rowId(row) === selectedId) : -1;
  useEffect(() => {
    if (selected < 0) return;
    setActive(selected);
    virtualizer.scrollToIndex(selected);
  }, [selected, virtualizer]);

  const onKeyDown = (event: KeyboardEvent) => {
    // Keys of a button or a menu inside a row are not the grid's.
    if (event.target !== event.currentTarget || count === 0) return;
    const target = targetRow(event, current, count);
    if (target !== undefined) {
      setActive(target);
      virtualizer.scrollToIndex(target);
    } else if ((event.key === 'Enter' || event.key === ' ') && onOpen) {
      const row = sorted[current];
      if (row !== undefined) onOpen(row);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const shown = shownColumns(columns, isNarrow);
  const style = {
    height: props.fills ? '100%' : 'auto',
    maxHeight: props.maxHeight,
    '--columns': tracksOf(shown, isNarrow),
    '--min-width': props.minWidth ? `${props.minWidth}px` : '100%',
    // CSS custom properties are not part of React's style type.
  } as React.CSSProperties;

  return (
    <div
      className="grid"
      ref={scroller}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={(props.total ?? count) + 1}
      aria-activedescendant={count > 0 ? `${gridId}-${current}` : undefined}
      onKeyDown={onKeyDown}
      style={style}
    >
      <GridHeader columns={shown} order={order} onOrder={props.onOrder ?? setOwnOrder} />
      {count === 0 ? (
        <div role="row">
          <div role="gridcell" className="grid-empty">
            {props.empty ?? 'Nothing to show.'}
          </div>
        </div>
      ) : (
        <div role="rowgroup" className="grid-body" style={{ height: virtualizer.getTotalSize() }}>
          {visible.map(({ index, start }) => {
            const row = sorted[index];
            if (row === undefined) return null;
            const id = rowId(row);
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the grid itself has the focus and handles the keys.
              <div
                key={id}
                id={`${gridId}-${index}`}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={selectedId === undefined ? undefined : selectedId === id}
                className={rowClass(onOpen !== undefined, index === current)}
                style={{ transform: `translateY(${start}px)`, height: rowHeight }}
                onClick={() => {
                  setActive(index);
                  onOpen?.(row);
                }}
              >
                {shown.map((column) => (
                  <div key={column.id} role="gridcell" className={columnClass('grid-cell', column)}>
                    {column.cell ? column.cell(row) : (column.value(row) ?? '–')}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      )}
    </div>
  );
}

function rowClass(opens: boolean, isActive: boolean): string {
  return `grid-row${opens ? ' opens' : ''}${isActive ? ' active' : ''}`;
}

function targetRow(event: KeyboardEvent, current: number, count: number): number | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const targets: Record<string, number> = {
    ArrowDown: current + 1,
    j: current + 1,
    ArrowUp: current - 1,
    k: current - 1,
    PageDown: current + PAGE,
    PageUp: current - PAGE,
    Home: 0,
    End: count - 1,
  };
  const target = targets[event.key];
  return target === undefined ? undefined : Math.max(0, Math.min(count - 1, target));
}
