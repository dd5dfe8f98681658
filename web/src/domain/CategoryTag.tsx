import { AddCircle16Filled, DismissCircle16Filled, Edit16Filled } from '@fluentui/react-icons';
import type { ChangeCategory } from '../api/types';

const ICON = { Modified: Edit16Filled, Added: AddCircle16Filled, Removed: DismissCircle16Filled };

/** Icon and word: colour never says anything alone. */
export function CategoryTag({ category }: { category: ChangeCategory }) {
  const Icon = ICON[category];
  return (
    <span className={`category ${category}`}>
      <Icon aria-hidden />
      {category}
    </span>
  );
}
