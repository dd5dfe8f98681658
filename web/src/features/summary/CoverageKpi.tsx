import {
  ScanDash20Regular,
  ShieldCheckmark20Regular,
  ShieldDismiss20Regular,
  ShieldError20Regular,
} from '@fluentui/react-icons';
import type { OpenGaps } from '../../domain/gaps';
import { formatQuantity } from '../../ui/format';

type Props = { open: OpenGaps; isWatching: boolean; onOpen(): void };

/** Whether everything is watched right now; opens the list of gaps. */
export function CoverageKpi({ open, isWatching, onOpen }: Props) {
  const { Icon, tone, value, note } = view(open, isWatching);
  return (
    <button type="button" className={`card kpi coverage-kpi ${tone}`} onClick={onOpen}>
      <span>
        <span className="kpi-value">
          <Icon aria-hidden />
          {value}
        </span>
        <span className="kpi-label">Coverage</span>
        <span className="kpi-note">{note}</span>
      </span>
    </button>
  );
}

function view({ troubles, firstLooks }: OpenGaps, isWatching: boolean) {
  if (!isWatching) {
    return { Icon: ShieldDismiss20Regular, tone: 'bad', value: 'Not watched', note: 'see why' };
  }
  if (troubles > 0) {
    const value = formatQuantity(troubles, 'open gap');
    return { Icon: ShieldError20Regular, tone: 'bad', value, note: 'not all is watched' };
  }
  if (firstLooks > 0) {
    return { Icon: ScanDash20Regular, tone: 'busy', value: 'First baseline', note: 'is being taken' };
  }
  return { Icon: ShieldCheckmark20Regular, tone: 'good', value: 'Watching', note: 'no open gap' };
}
