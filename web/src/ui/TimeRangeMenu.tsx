import {
  Button,
  Menu,
  MenuDivider,
  MenuItem,
  MenuItemRadio,
  MenuList,
  MenuPopover,
  MenuTrigger,
} from '@fluentui/react-components';
import { CalendarLtr20Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import { CustomRangeDialog } from './CustomRangeDialog';
import { RELATIVE_RANGES, rangeLabel } from './timeRange';

type Props = { range: string; now(): number; onRange(range: string): void };

export function TimeRangeMenu({ range, now, onRange }: Props) {
  const [isCustomOpen, setCustomOpen] = useState(false);
  return (
    <>
      <Menu
        checkedValues={{ range: [range] }}
        onCheckedValueChange={(_, { checkedItems }) => checkedItems[0] && onRange(checkedItems[0])}
      >
        <MenuTrigger disableButtonEnhancement>
          <Button icon={<CalendarLtr20Regular />} aria-label={`Time range: ${rangeLabel(range)}`}>
            {rangeLabel(range)}
          </Button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            {RELATIVE_RANGES.map(({ range: value, label }) => (
              <MenuItemRadio key={value} name="range" value={value}>
                {label}
              </MenuItemRadio>
            ))}
            <MenuDivider />
            <MenuItem onClick={() => setCustomOpen(true)}>Custom range…</MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
      {isCustomOpen && (
        <CustomRangeDialog range={range} now={now()} onRange={onRange} onClose={() => setCustomOpen(false)} />
      )}
    </>
  );
}
