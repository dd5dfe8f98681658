import {
  ShieldCheckmark20Regular,
  ShieldDismiss20Regular,
  ShieldError20Regular,
} from '@fluentui/react-icons';
import { formatQuantity } from '../../ui/format';

type Props = { openGaps: number; isWatching: boolean; onOpen(): void };

/** Whether everything is watched right now; opens the list of gaps. */
export function CoverageKpi({ openGaps, isWatching, onOpen }: Props) {
  const { Icon, tone, value, note } = view(openGaps, isWatching);
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

function view(openGaps: number, isWatching: boolean) {
  if (!isWatching) {
    return { Icon: ShieldDismiss20Regular, tone: 'bad', value: 'Not watched', note: 'see why' };
  }
  if (openGaps > 0) {
    const value = formatQuantity(openGaps, 'open gap');
    return { Icon: ShieldError20Regular, tone: 'bad', value, note: 'not all is watched' };
  }
  return { Icon: ShieldCheckmark20Regular, tone: 'good', value: 'Watching', note: 'no open gap' };
}
