import { Button } from '@fluentui/react-components';
import {
  CheckmarkCircle24Regular,
  Filter24Regular,
  ScanDash24Regular,
  ShieldDismiss24Regular,
} from '@fluentui/react-icons';
import type { OpenGaps } from '../../domain/gaps';
import { EmptyState } from '../../ui/EmptyState';
import { useLeaveFocusToGrid } from '../../ui/useReturnFocus';

type Props = {
  isFiltered: boolean;
  isEnabled: boolean;
  machines: number;
  open: OpenGaps;
  /** False if there is a moment of the period in which not all was watched. */
  isAllWatched: boolean;
  onClear(): void;
};

/** Why there is no change to show: nothing matches, nobody watches, or nothing happened. */
export function ChangesEmpty({ isFiltered, isEnabled, machines, open, isAllWatched, onClear }: Props) {
  useLeaveFocusToGrid();
  if (isFiltered) {
    return (
      <EmptyState
        icon={<Filter24Regular aria-hidden />}
        title="No change matches"
        action={<Button onClick={onClear}>Clear the filters</Button>}
      >
        Changes of this period are hidden by the search or a filter.
      </EmptyState>
    );
  }
  if (!isEnabled || machines === 0) {
    return (
      <EmptyState tone="warn" icon={<ShieldDismiss24Regular aria-hidden />} title="Not watched">
        {isEnabled
          ? 'No machine is enrolled in this workspace, so there is nobody to see a change.'
          : 'Monitoring is off in this workspace, so changes are not found.'}
      </EmptyState>
    );
  }
  if (open.troubles === 0 && open.firstLooks > 0) {
    return (
      <EmptyState icon={<ScanDash24Regular aria-hidden />} title="No change yet">
        The first baseline is being taken. Changes are found as soon as it is complete.
      </EmptyState>
    );
  }
  if (open.troubles > 0 || !isAllWatched) {
    return (
      <EmptyState
        tone="warn"
        icon={<ShieldDismiss24Regular aria-hidden />}
        title="No change was found, but not everything was watched"
      >
        The chart shows when nobody was looking; see the Coverage tab for what was not watched and why.
      </EmptyState>
    );
  }
  return (
    <EmptyState tone="good" icon={<CheckmarkCircle24Regular aria-hidden />} title="Nothing changed">
      All that is monitored was watched, and no change was found in this period.
    </EmptyState>
  );
}
