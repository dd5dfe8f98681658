import { ShieldCheckmark24Regular, ShieldDismiss24Regular } from '@fluentui/react-icons';
import { EmptyState } from '../../ui/EmptyState';

type Props = { isEnabled: boolean; machines: number };

/** No gaps is good news only where somebody is watching. */
export function CoverageEmpty({ isEnabled, machines }: Props) {
  if (!isEnabled) {
    return (
      <EmptyState tone="warn" icon={<ShieldDismiss24Regular aria-hidden />} title="Nothing is watched">
        Monitoring is off in this workspace, so there is nothing that could have a gap.
      </EmptyState>
    );
  }
  if (machines === 0) {
    return (
      <EmptyState tone="warn" icon={<ShieldDismiss24Regular aria-hidden />} title="Nothing is watched">
        No machine is enrolled in this workspace.
      </EmptyState>
    );
  }
  return (
    <EmptyState tone="good" icon={<ShieldCheckmark24Regular aria-hidden />} title="No gap in this period">
      Since they were enrolled, the machines have watched everything that the rules name.
    </EmptyState>
  );
}
