import {
  Button,
  Menu,
  MenuDivider,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
} from '@fluentui/react-components';
import { MoreHorizontal20Regular } from '@fluentui/react-icons';
import type { Machine } from '../../api/types';

type Props = {
  machine: Machine;
  refusal: string | undefined;
  onOpen(): void;
  onQuery(): void;
  onRemove(): void;
};

export function MachineMenu({ machine, refusal, onOpen, onQuery, onRemove }: Props) {
  return (
    <Menu>
      <MenuTrigger disableButtonEnhancement>
        <Button
          size="small"
          appearance="subtle"
          icon={<MoreHorizontal20Regular />}
          aria-label={`Actions for ${machine.name}`}
          onClick={(event) => event.stopPropagation()}
        />
      </MenuTrigger>
      {/* Clicks bubble through React's tree to the row, which would open the machine. */}
      <MenuPopover onClick={(event) => event.stopPropagation()}>
        <MenuList>
          <MenuItem onClick={onOpen}>Show its changes</MenuItem>
          <MenuItem onClick={onQuery}>Query its changes</MenuItem>
          <MenuDivider />
          <MenuItem disabled={refusal !== undefined} title={refusal} onClick={onRemove}>
            Remove…
          </MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
