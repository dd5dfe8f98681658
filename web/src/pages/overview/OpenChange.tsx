import { lazy, Suspense, useCallback } from 'react';
import type { OverviewData } from './useOverviewData';
import type { OverviewUrl } from './useOverviewUrl';

const ChangeDrawer = lazy(() => import('../../features/changes/ChangeDrawer'));

/** The change that the URL names, whichever tab is shown below it. */
export function OpenChange({ url, data }: { url: OverviewUrl; data: OverviewData }) {
  const { ws, search, update } = url;
  const { items } = data;
  const id = search.change;
  const step = useCallback(
    (by: 1 | -1) => {
      const next = items[items.findIndex((item) => item.id === id) + by];
      if (next) update({ change: next.id });
    },
    [items, id, update],
  );
  const open = useCallback((change: string) => update({ change }), [update]);
  const close = useCallback(() => update({ change: undefined }), [update]);
  if (id === undefined) return null;
  return (
    <Suspense>
      <ChangeDrawer ws={ws} id={id} onStep={step} onOpen={open} onClose={close} />
    </Suspense>
  );
}
