import { ArrowUp16Regular } from '@fluentui/react-icons';
import { formatQuantity } from '../../ui/format';

/** New changes wait behind this, so that the list never moves under the reader's hand. */
export function LivePill({ count, onShow }: { count: number; onShow(): void }) {
  return (
    <div className="live-pill" role="status">
      {count > 0 && (
        <button type="button" onClick={onShow}>
          <ArrowUp16Regular aria-hidden />
          {formatQuantity(count, 'new change')}: show
        </button>
      )}
    </div>
  );
}
