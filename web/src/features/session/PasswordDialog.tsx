import { DialogBody, DialogContent, DialogSurface, DialogTitle } from '@fluentui/react-components';
import { useState } from 'react';
import './session.css';
import { OpenDialog } from '../../ui/OpenDialog';
import { useDiscardGuard } from '../../ui/useDiscardGuard';
import { PasswordForm } from './PasswordForm';

export function PasswordDialog({ asksCurrent, onClose }: { asksCurrent: boolean; onClose(): void }) {
  const [isChanged, setChanged] = useState(false);
  const { leave, question } = useDiscardGuard(isChanged, onClose);
  return (
    <OpenDialog onClose={leave}>
      <DialogSurface className="dialog narrow">
        <DialogBody>
          <DialogTitle>{asksCurrent ? 'Change password' : 'Set a password'}</DialogTitle>
          <DialogContent>
            <PasswordForm
              asksCurrent={asksCurrent}
              cancelWord="Cancel"
              onDone={onClose}
              onCancel={onClose}
              onChanged={setChanged}
            />
            {question}
          </DialogContent>
        </DialogBody>
      </DialogSurface>
    </OpenDialog>
  );
}
