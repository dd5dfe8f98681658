import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
} from '@fluentui/react-components';
import { formatQuantity } from '../../ui/format';

/** Says on every tab that something is not watched: an empty list must not pass for a quiet machine. */
export function CoverageBanner({ openGaps, onShow }: { openGaps: number; onShow(): void }) {
  return (
    <MessageBar intent="warning">
      <MessageBarBody>
        <MessageBarTitle>{formatQuantity(openGaps, 'open gap')}.</MessageBarTitle>
        Something that should be watched is not watched right now, so changes to it are not found.
      </MessageBarBody>
      <MessageBarActions>
        <Button size="small" onClick={onShow}>
          Show
        </Button>
      </MessageBarActions>
    </MessageBar>
  );
}
