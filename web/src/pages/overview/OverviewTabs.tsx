import { SearchBox, Tab, TabList } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { ChangeFilters } from '../../api/queries';
import { LONGEST_SEARCH, type OverviewTab, TABS } from '../../app/searchParams';
import { ExportMenu } from '../../domain/ExportMenu';
import { changesKql } from '../../domain/kql';
import { formatCount } from '../../ui/format';

type Props = {
  ws: string;
  tab: OverviewTab;
  range: string;
  filters: ChangeFilters;
  counts: Record<OverviewTab, number | undefined>;
  /** How many of the gaps are open and not a first baseline; they are what is counted then. */
  troubles: number;
  onTab(tab: OverviewTab): void;
  onSearch(q: string | undefined): void;
};

const LABELS: Record<OverviewTab, string> = { servers: 'Servers', changes: 'Changes', coverage: 'Coverage' };

export function OverviewTabs({ ws, tab, range, filters, counts, troubles, onTab, onSearch }: Props) {
  const select = (value: unknown) => {
    const next = TABS.find((one) => one === value);
    if (next) onTab(next);
  };
  return (
    <div className="bar tabs-bar">
      <TabList selectedValue={tab} onTabSelect={(_, { value }) => select(value)}>
        {TABS.map((value) => (
          <Tab key={value} value={value}>
            {LABELS[value]}
            <TabCount count={counts[value]} warn={value === 'coverage' && troubles > 0} />
          </Tab>
        ))}
      </TabList>
      {tab === 'changes' && (
        <div className="row tools">
          <ChangeSearch q={filters.q} onSearch={onSearch} />
          <ExportMenu
            ws={ws}
            query={changesKql(range, filters)}
            name={`changes-${ws}`}
            isEmpty={counts.changes === 0}
          />
        </div>
      )}
    </div>
  );
}

function TabCount({ count, warn }: { count: number | undefined; warn: boolean }) {
  if (count === undefined) return null;
  return (
    <span className={`tab-count${warn ? ' warn' : ''}`}>
      {formatCount(count)}
      {warn && <span className="visually-hidden"> open</span>}
    </span>
  );
}

const TYPING_PAUSE_MILLIS = 250;

function ChangeSearch({ q, onSearch }: { q: string | undefined; onSearch(q: string | undefined): void }) {
  const [text, setText] = useState(q ?? '');

  // The URL may change without this field, as when a filter is cleared or Back is pressed.
  useEffect(() => setText(q ?? ''), [q]);

  useEffect(() => {
    const wanted = text.trim() || undefined;
    if (wanted === q) return undefined;
    const timer = setTimeout(() => onSearch(wanted), TYPING_PAUSE_MILLIS);
    return () => clearTimeout(timer);
  }, [text, q, onSearch]);

  return (
    <SearchBox
      className="change-search"
      placeholder="Search path or machine"
      aria-label="Search changes"
      maxLength={LONGEST_SEARCH}
      value={text}
      onChange={(_, { value }) => setText(value)}
    />
  );
}
