import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
} from '@fluentui/react-components';
import type { OpenGaps } from '../../domain/gaps';
import { formatQuantity } from '../../ui/format';

/** Says on every tab that something is not watched: an empty list must not pass for a quiet machine. */
export function CoverageBanner({ open, onShow }: { open: OpenGaps; onShow(): void }) {
  const isTrouble = open.troubles > 0;
  return (
    <MessageBar intent={isTrouble ? 'warning' : 'info'}>
      <MessageBarBody>
        <MessageBarTitle>
          {isTrouble ? `${formatQuantity(open.troubles, 'open gap')}.` : 'The first baseline is being taken.'}
        </MessageBarTitle>
        {isTrouble
          ? 'Something that should be watched is not watched right now, so changes to it are not found.'
          : 'It is what later looks are compared with. Changes are found as soon as it is complete.'}
      </MessageBarBody>
      <MessageBarActions>
        <Button size="small" onClick={onShow}>
          Show
        </Button>
      </MessageBarActions>
    </MessageBar>
  );
}
