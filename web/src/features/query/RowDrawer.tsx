import {
  Button,
  Drawer,
  DrawerBody,
  DrawerHeader,
  DrawerHeaderTitle,
  Switch,
} from '@fluentui/react-components';
import { Dismiss24Regular } from '@fluentui/react-icons';
import { useState } from 'react';
import type { QueryColumn } from '../../api/types';
import { CopyButton } from '../../ui/CopyButton';
import { useReturnFocus } from '../../ui/useReturnFocus';
import { cellText, type ResultRow } from './cell';

type Props = { columns: readonly QueryColumn[]; row: ResultRow; onClose(): void };

/** One row of an answer from top to bottom. */
export function RowDrawer({ columns, row, onClose }: Props) {
  const [showsEmpty, setShowsEmpty] = useState(false);
  useReturnFocus();
  const fields = columns
    .map(({ name, type }, index) => ({ index, name, text: cellText(row.values[index], type) }))
    .filter(({ text }) => showsEmpty || (text !== null && text !== ''));
  const json = JSON.stringify(
    Object.fromEntries(columns.map(({ name }, index) => [name, row.values[index]])),
    null,
    2,
  );
  return (
    <Drawer
      open
      position="end"
      size="medium"
      type="overlay"
      className="row-drawer"
      aria-label={`Row ${row.index + 1}`}
      onOpenChange={(_, { open }) => !open && onClose()}
    >
      <DrawerHeader>
        <DrawerHeaderTitle
          action={
            <Button appearance="subtle" icon={<Dismiss24Regular />} aria-label="Close" onClick={onClose} />
          }
        >
          Row {row.index + 1}
        </DrawerHeaderTitle>
        <div className="row">
          <Switch
            label="Show empty columns"
            checked={showsEmpty}
            onChange={(_, { checked }) => setShowsEmpty(checked)}
          />
          <span className="grow" />
          <CopyButton text={json} label="Copy as JSON" />
        </div>
      </DrawerHeader>
      <DrawerBody>
        <dl className="row-fields">
          {fields.map(({ name, text, index }) => (
            <div key={index}>
              <dt>{name}</dt>
              <dd className="mono">{text ?? <span className="muted">null</span>}</dd>
            </div>
          ))}
        </dl>
      </DrawerBody>
    </Drawer>
  );
}
