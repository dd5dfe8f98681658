import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
} from '@fluentui/react-components';
import { WithReason } from '../../ui/WithReason';

type Props = { refusal: string | undefined; onEnable(): void };

/** No changes because nobody looks must never pass for no changes. */
export function MonitoringOff({ refusal, onEnable }: Props) {
  return (
    <MessageBar intent="warning">
      <MessageBarBody>
        <MessageBarTitle>Monitoring is off.</MessageBarTitle>
        Nothing in this workspace is being watched, so changes are not found.
      </MessageBarBody>
      <MessageBarActions>
        <WithReason reason={refusal}>
          <Button size="small" disabled={refusal !== undefined} onClick={onEnable}>
            Enable…
          </Button>
        </WithReason>
      </MessageBarActions>
    </MessageBar>
  );
}
