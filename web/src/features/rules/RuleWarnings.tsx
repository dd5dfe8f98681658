import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  MessageBarTitle,
} from '@fluentui/react-components';
import { Dismiss20Regular } from '@fluentui/react-icons';
import type { SavedRule } from '../../api/types';
import { Sentence } from '../../ui/Sentence';

type Props = { rule: SavedRule; onEdit(): void; onDismiss(): void };

/** What may be unwise about a rule that was saved. */
export function RuleWarnings({ rule, onEdit, onDismiss }: Props) {
  return (
    <MessageBar intent="warning" layout="multiline" role="status">
      <MessageBarBody>
        <MessageBarTitle>“{rule.name}” is saved.</MessageBarTitle>
        {rule.warnings.map((warning) => (
          <p key={warning} className="rule-warning">
            <Sentence>{warning}</Sentence>
          </p>
        ))}
      </MessageBarBody>
      <MessageBarActions
        containerAction={
          <Button
            appearance="transparent"
            icon={<Dismiss20Regular />}
            aria-label="Dismiss the warning"
            onClick={onDismiss}
          />
        }
      >
        <Button size="small" onClick={onEdit}>
          Edit
        </Button>
      </MessageBarActions>
    </MessageBar>
  );
}
