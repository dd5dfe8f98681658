import { CheckmarkCircle16Regular, ScanDash16Regular, ShieldError16Filled } from '@fluentui/react-icons';
import type { Gap } from '../../api/types';
import { isFirstLook } from '../../domain/gaps';

/** Whether it goes on, ended, or ends by itself. */
export function GapState({ gap }: { gap: Gap }) {
  if (gap.end !== null) {
    return (
      <span className="gap-state">
        <CheckmarkCircle16Regular aria-hidden />
        Ended
      </span>
    );
  }
  if (isFirstLook(gap)) {
    return (
      <span className="gap-state busy">
        <ScanDash16Regular aria-hidden />
        Under way
      </span>
    );
  }
  return (
    <span className="gap-state open">
      <ShieldError16Filled aria-hidden />
      Open
    </span>
  );
}
