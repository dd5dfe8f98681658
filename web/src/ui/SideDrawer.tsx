import { Button, Drawer, DrawerBody, DrawerHeader, Tooltip } from '@fluentui/react-components';
import { ArrowDown20Regular, ArrowUp20Regular, Dismiss24Regular } from '@fluentui/react-icons';
import { type ReactNode, useEffect } from 'react';
import './drawer.css';
import { isTyping } from './isTyping';
import { useReturnFocus } from './useReturnFocus';

type Step = (by: 1 | -1) => void;

type Props = {
  /** What it is called by who cannot see it. */
  label: string;
  title: string;
  /** What stays below the title while the rest scrolls. */
  head: ReactNode;
  children: ReactNode;
  /** Goes to the next (1) or previous (-1) of the list that it was opened from; absent where there is no order. */
  onStep?: Step;
  onClose(): void;
};

const ROOM_FOR_BOTH = '(min-width: 1000px)';

/** One thing of a list with all that is known of it. Beside it the list stays in use where there is room for both. */
export function SideDrawer({ label, title, head, children, onStep, onClose }: Props) {
  useDrawerKeys(onStep, onClose);
  useReturnFocus();
  return (
    <Drawer
      open
      position="end"
      size="large"
      type="overlay"
      modalType={matchMedia(ROOM_FOR_BOTH).matches ? 'non-modal' : 'modal'}
      className="drawer"
      aria-label={label}
      onOpenChange={(_, { open }) => !open && onClose()}
    >
      <DrawerHeader className="drawer-head">
        <div className="drawer-title">
          <h2>{title}</h2>
          <DrawerButtons onStep={onStep} onClose={onClose} />
        </div>
        {head}
      </DrawerHeader>
      <DrawerBody className="drawer-body">{children}</DrawerBody>
    </Drawer>
  );
}

function DrawerButtons({ onStep, onClose }: { onStep: Step | undefined; onClose(): void }) {
  return (
    <div className="row">
      {onStep && (
        <>
          <Tooltip content="Previous (K)" relationship="label">
            <Button appearance="subtle" icon={<ArrowUp20Regular />} onClick={() => onStep(-1)} />
          </Tooltip>
          <Tooltip content="Next (J)" relationship="label">
            <Button appearance="subtle" icon={<ArrowDown20Regular />} onClick={() => onStep(1)} />
          </Tooltip>
        </>
      )}
      <Tooltip content="Close (Esc)" relationship="label">
        <Button appearance="subtle" icon={<Dismiss24Regular />} onClick={onClose} />
      </Tooltip>
    </div>
  );
}

/** Listens before the list does, because the list uses the same keys while it has the focus. */
function useDrawerKeys(onStep: Step | undefined, onClose: () => void) {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'Escape') onClose();
      else if (event.key === 'j' && onStep) onStep(1);
      else if (event.key === 'k' && onStep) onStep(-1);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    window.addEventListener('keydown', onKeyDown, { capture: true });
    return () => window.removeEventListener('keydown', onKeyDown, { capture: true });
  }, [onStep, onClose]);
}
