import './summary.css';
import type { ChangeCategory, ChangeType, Summary } from '../../api/types';
import { CATEGORIES, CATEGORY_COLOR, CHANGE_TYPES, TYPE_COLOR } from '../../domain/category';
import type { OpenGaps } from '../../domain/gaps';
import { formatCount } from '../../ui/format';
import { KpiCard } from '../../ui/KpiCard';
import { SplitCard } from '../../ui/SplitCard';
import { CoverageKpi } from './CoverageKpi';
import { Trend } from './Trend';

type Props = {
  summary: Summary;
  open: OpenGaps;
  isWatching: boolean;
  type: string | undefined;
  category: string | undefined;
  onType(type: ChangeType): void;
  onCategory(category: ChangeCategory): void;
  onCoverage(): void;
};

/** The dashboard's figures; each part of a total is a filter for the list of changes. */
export function SummaryKpis(props: Props) {
  const { summary, open, isWatching, type, category, onType, onCategory, onCoverage } = props;
  const silent = summary.machines - summary.machinesReporting;
  // Files are always named, so that "no file changed" is said and not left out.
  const types = CHANGE_TYPES.filter((one) => one === 'Files' || (summary.byType[one] ?? 0) > 0);
  return (
    <div className="kpis summary-kpis">
      <KpiCard
        value={
          <>
            {formatCount(summary.machinesReporting)}
            <small> / {formatCount(summary.machines)}</small>
          </>
        }
        label="Machines reporting"
        note={machinesNote(summary.machines, silent)}
      />
      <KpiCard value={formatCount(summary.total)} label="Total changes" note={<Trend summary={summary} />} />
      <CoverageKpi open={open} isWatching={isWatching} onOpen={onCoverage} />
      <SplitCard
        title="By type"
        active={type}
        onToggle={onType}
        parts={types.map((key) => ({
          key,
          label: key,
          count: summary.byType[key] ?? 0,
          color: `var(${TYPE_COLOR[key]})`,
        }))}
      />
      <SplitCard
        title="By category"
        active={category}
        onToggle={onCategory}
        parts={CATEGORIES.map((key) => ({
          key,
          label: key,
          count: summary.byCategory[key] ?? 0,
          color: `var(${CATEGORY_COLOR[key]})`,
        }))}
      />
    </div>
  );
}

function machinesNote(machines: number, silent: number) {
  if (machines === 0) return 'none enrolled';
  if (silent === 0) return 'all of them';
  return <span className="bad">{formatCount(silent)} not reporting</span>;
}
