import { Drawer, DrawerBody, DrawerHeader, Tab, TabList } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import './changes.css';
import { changeQuery } from '../../api/queries';
import type { ChangeDetail } from '../../api/types';
import { ErrorState } from '../../ui/ErrorState';
import { isTyping } from '../../ui/isTyping';
import { LoadingRows } from '../../ui/LoadingRows';
import { useReturnFocus } from '../../ui/useReturnFocus';
import { AttributeTable } from './AttributeTable';
import { ChangeDrawerHeader } from './ChangeDrawerHeader';
import { Circumstances } from './Circumstances';
import { RelatedChanges } from './RelatedChanges';

type Props = {
  ws: string;
  id: string;
  /** Goes to the next (1) or previous (-1) change of the list; absent where there is no list. */
  onStep?: (by: 1 | -1) => void;
  onOpen(id: string): void;
  onClose(): void;
};

type DrawerTab = 'attributes' | 'related';

const ROOM_FOR_BOTH = '(min-width: 1000px)';

/** One change with all that is known of it. Beside it the list stays in use where there is room for both. */
export default function ChangeDrawer({ ws, id, onStep, onOpen, onClose }: Props) {
  const change = useQuery(changeQuery(ws, id));
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
      aria-label="Change details"
      onOpenChange={(_, { open }) => !open && onClose()}
    >
      <DrawerHeader className="drawer-head">
        <ChangeDrawerHeader ws={ws} change={change.data} onStep={onStep} onClose={onClose} />
      </DrawerHeader>
      <DrawerBody className="drawer-body">
        {change.isPending && <LoadingRows label="Loading the change" />}
        {change.error && !change.data && (
          <ErrorState error={change.error} what="this change" onRetry={() => void change.refetch()} />
        )}
        {change.data && <ChangeTabs change={change.data} onOpen={onOpen} />}
      </DrawerBody>
    </Drawer>
  );
}

function ChangeTabs({ change, onOpen }: { change: ChangeDetail; onOpen(id: string): void }) {
  const [tab, setTab] = useState<DrawerTab>('attributes');
  const changed = change.attrs.filter((attribute) => attribute.changed).length;
  return (
    <>
      <Circumstances change={change} />
      <TabList
        selectedValue={tab}
        onTabSelect={(_, { value }) => setTab(value === 'related' ? 'related' : 'attributes')}
        className="drawer-tabs"
      >
        <Tab value="attributes">
          Attributes
          {change.category === 'Modified' && <span className="tab-count">{changed} changed</span>}
        </Tab>
        <Tab value="related">
          Other changes of it<span className="tab-count">{change.related.length}</span>
        </Tab>
      </TabList>
      {tab === 'attributes' ? (
        <AttributeTable attributes={change.attrs} category={change.category} />
      ) : (
        <RelatedChanges changes={change.related} onOpen={onOpen} />
      )}
    </>
  );
}

/** Listens before the list does, because the list uses the same keys while it has the focus. */
function useDrawerKeys(onStep: Props['onStep'], onClose: () => void) {
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
