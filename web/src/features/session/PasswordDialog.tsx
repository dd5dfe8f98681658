import { Dialog, DialogBody, DialogContent, DialogSurface, DialogTitle } from '@fluentui/react-components';
import './session.css';
import { PasswordForm } from './PasswordForm';

export function PasswordDialog({ asksCurrent, onClose }: { asksCurrent: boolean; onClose(): void }) {
  return (
    <Dialog open onOpenChange={(_, { open }) => !open && onClose()}>
      <DialogSurface className="dialog narrow">
        <DialogBody>
          <DialogTitle>{asksCurrent ? 'Change password' : 'Set a password'}</DialogTitle>
          <DialogContent>
            <PasswordForm asksCurrent={asksCurrent} cancelWord="Cancel" onDone={onClose} onCancel={onClose} />
          </DialogContent>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
