import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from '@fluentui/react-components';
import { MoreHorizontal20Regular } from '@fluentui/react-icons';
import type { Rule } from '../../api/types';

type Props = { rule: Rule; refusal: string | undefined; onEdit(): void; onDelete(): void };

export function RuleMenu({ rule, refusal, onEdit, onDelete }: Props) {
  const denied = { disabled: refusal !== undefined, title: refusal };
  return (
    <Menu>
      <MenuTrigger disableButtonEnhancement>
        <Button
          size="small"
          appearance="subtle"
          icon={<MoreHorizontal20Regular />}
          aria-label={`Actions for rule ${rule.name}`}
          onClick={(event) => event.stopPropagation()}
        />
      </MenuTrigger>
      {/* Clicks bubble through React's tree to the row, which would open the rule. */}
      <MenuPopover onClick={(event) => event.stopPropagation()}>
        <MenuList>
          <MenuItem {...denied} onClick={onEdit}>
            Edit…
          </MenuItem>
          <MenuItem {...denied} onClick={onDelete}>
            Delete…
          </MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
