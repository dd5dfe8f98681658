import { Dialog } from '@fluentui/react-components';
import type { ReactElement } from 'react';
import { useReturnFocus } from './useReturnFocus';

type Props = { children: ReactElement; modalType?: 'modal' | 'alert'; onClose(): void };

/** A dialog for as long as it is there; when it goes, the focus goes back to what it was opened from. */
export function OpenDialog({ children, modalType = 'modal', onClose }: Props) {
  useReturnFocus();
  return (
    <Dialog open modalType={modalType} onOpenChange={(_, { open }) => !open && onClose()}>
      {children}
    </Dialog>
  );
}
