import {
  Button,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
} from '@fluentui/react-components';
import { type ReactNode, useState } from 'react';
import { OpenDialog } from './OpenDialog';

type DiscardGuard = {
  /** Closes the form at once if nothing would be lost, and asks first if something would. */
  leave(): void;
  /** The question, while it is asked. */
  question: ReactNode;
};

/** Keeps Escape, and a click beside a form, from dropping what was typed into it. */
export function useDiscardGuard(isChanged: boolean, onClose: () => void): DiscardGuard {
  const [isAsking, setAsking] = useState(false);
  const question = isAsking && (
    <OpenDialog modalType="alert" onClose={() => setAsking(false)}>
      <DialogSurface className="dialog narrow">
        <DialogBody>
          <DialogTitle>Discard what you typed?</DialogTitle>
          <DialogContent>It was not saved.</DialogContent>
          <DialogActions>
            <Button appearance="primary" onClick={() => setAsking(false)}>
              Keep editing
            </Button>
            <Button onClick={onClose}>Discard</Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </OpenDialog>
  );
  return { leave: () => (isChanged ? setAsking(true) : onClose()), question };
}
