import { Button } from '@fluentui/react-components';
import { Dismiss16Regular } from '@fluentui/react-icons';
import { useLeaveFocusToGrid } from './useReturnFocus';

export function FilterChip({ name, value, onRemove }: { name: string; value: string; onRemove(): void }) {
  useLeaveFocusToGrid();
  return (
    <Button
      size="small"
      appearance="outline"
      iconPosition="after"
      icon={<Dismiss16Regular />}
      aria-label={`Remove filter ${name} ${value}`}
      onClick={onRemove}
    >
      {name}: {value}
    </Button>
  );
}
