import {
  Button,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Switch,
} from '@fluentui/react-components';
import { useState } from 'react';
import { OpenDialog } from '../../ui/OpenDialog';
import { areShortcutsOn, SHORTCUTS, setShortcutsOn } from '../shortcuts';

export function ShortcutsDialog({ onClose }: { onClose(): void }) {
  const [isOn, setOn] = useState(areShortcutsOn);
  const toggle = (on: boolean) => {
    setShortcutsOn(on);
    setOn(on);
  };
  return (
    <OpenDialog onClose={onClose}>
      <DialogSurface className="dialog">
        <DialogBody>
          <DialogTitle>Keyboard shortcuts</DialogTitle>
          <DialogContent>
            <dl className="shortcuts">
              {SHORTCUTS.map(({ keys, does }) => (
                <div key={does}>
                  <dt>
                    {keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
            <Switch
              label="Single-key shortcuts"
              checked={isOn}
              onChange={(_, { checked }) => toggle(checked)}
            />
          </DialogContent>
          <DialogActions>
            <Button appearance="primary" onClick={onClose}>
              Close
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </OpenDialog>
  );
}
