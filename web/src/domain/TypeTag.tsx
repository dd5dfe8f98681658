import { Apps16Regular, Document16Regular, Key16Regular, Settings16Regular } from '@fluentui/react-icons';
import type { ChangeType } from '../api/types';
import { TYPE_NOUN } from './category';

const ICON = {
  Files: Document16Regular,
  Registry: Key16Regular,
  WindowsServices: Settings16Regular,
  Daemons: Settings16Regular,
  Software: Apps16Regular,
};

export function TypeTag({ type }: { type: ChangeType }) {
  const Icon = ICON[type];
  return (
    <span className="type-tag">
      <Icon aria-hidden />
      {TYPE_NOUN[type]}
    </span>
  );
}
