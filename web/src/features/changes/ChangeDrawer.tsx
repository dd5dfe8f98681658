import { Tab, TabList } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import './changes.css';
import { changeQuery } from '../../api/queries';
import type { ChangeDetail } from '../../api/types';
import { ErrorState } from '../../ui/ErrorState';
import { LoadingRows } from '../../ui/LoadingRows';
import { splitPath } from '../../ui/path';
import { SideDrawer } from '../../ui/SideDrawer';
import { AttributeTable } from './AttributeTable';
import { ChangeIdentity } from './ChangeIdentity';
import { Circumstances } from './Circumstances';
import { ContentDiff } from './ContentDiff';
import { RelatedChanges } from './RelatedChanges';

type Props = {
  ws: string;
  id: string;
  /** Goes to the next (1) or previous (-1) change of the list; absent where there is no list. */
  onStep?: (by: 1 | -1) => void;
  onOpen(id: string): void;
  onClose(): void;
};

const TABS = ['attributes', 'content', 'related'] as const;

/** One change with all that is known of it. Beside it the list stays in use where there is room for both. */
export default function ChangeDrawer({ ws, id, onStep, onOpen, onClose }: Props) {
  const change = useQuery(changeQuery(ws, id));
  return (
    <SideDrawer
      label="Change details"
      title={change.data ? splitPath(change.data.entity).name : 'Change details'}
      head={change.data && <ChangeIdentity ws={ws} change={change.data} />}
      onClose={onClose}
      {...(onStep ? { onStep } : {})}
    >
      {change.isPending && <LoadingRows label="Loading the change" />}
      {change.error && !change.data && (
        <ErrorState error={change.error} what="this change" onRetry={() => void change.refetch()} />
      )}
      {change.data && <ChangeTabs ws={ws} change={change.data} onOpen={onOpen} />}
    </SideDrawer>
  );
}

type TabsProps = { ws: string; change: ChangeDetail; onOpen(id: string): void };

function ChangeTabs({ ws, change, onOpen }: TabsProps) {
  const [tab, setTab] = useState<(typeof TABS)[number]>('attributes');
  const mayHaveText = change.type === 'Files' && change.kind === 'File';
  const changed = change.attrs.filter((attribute) => attribute.changed).length;
  return (
    <>
      <Circumstances change={change} />
      <TabList
        selectedValue={tab}
        onTabSelect={(_, { value }) => setTab(TABS.find((one) => one === value) ?? 'attributes')}
        className="drawer-tabs"
      >
        <Tab value="attributes">
          Attributes
          {change.category === 'Modified' && <span className="tab-count">{changed} changed</span>}
        </Tab>
        {mayHaveText && <Tab value="content">Text</Tab>}
        <Tab value="related">
          Other changes of it<span className="tab-count">{change.related.length}</span>
        </Tab>
      </TabList>
      {tab === 'attributes' && <AttributeTable attributes={change.attrs} category={change.category} />}
      {tab === 'content' && <ContentDiff ws={ws} id={change.id} />}
      {tab === 'related' && <RelatedChanges changes={change.related} onOpen={onOpen} />}
    </>
  );
}
