import { ArrowUp16Regular } from '@fluentui/react-icons';
import { formatQuantity } from '../../ui/format';
import { useLeaveFocusToGrid } from '../../ui/useReturnFocus';

type Props = { count: number; onShow(): void };

/** New changes wait behind this, so that the list never moves under the reader's hand. */
export function LivePill({ count, onShow }: Props) {
  return (
    <div className="live-pill" role="status">
      {count > 0 && <ShowNew count={count} onShow={onShow} />}
    </div>
  );
}

function ShowNew({ count, onShow }: Props) {
  useLeaveFocusToGrid();
  return (
    <button type="button" onClick={onShow}>
      <ArrowUp16Regular aria-hidden />
      {formatQuantity(count, 'new change')}: show
    </button>
  );
}
