import {
  Button,
  Checkbox,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
} from '@fluentui/react-components';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import './monitoring.css';
import { api, ok } from '../../api/client';
import { messageOf } from '../../api/problem';
import { fimStatusQuery, keys, recommendedQuery, rulesQuery } from '../../api/queries';
import type { Workspace } from '../../api/types';
import { ErrorState } from '../../ui/ErrorState';
import { FormError } from '../../ui/FormError';
import { formatQuantity } from '../../ui/format';
import { LoadingRows } from '../../ui/LoadingRows';
import { OpenDialog } from '../../ui/OpenDialog';
import { RecommendedItems } from './RecommendedItems';
import { changedTo, leftOut } from './selection';

type Props = { workspace: Workspace; onEnabled(): void; onClose(): void };

/**
 * Turns monitoring on, with the recommended items that the user leaves checked: at first those that were in force. Those
 * that were edited to watch something else are marked, and put back unless the user wants to keep them as they are.
 */
export function EnableDialog({ workspace, onEnabled, onClose }: Props) {
  const recommended = useQuery(recommendedQuery);
  const rules = useQuery(rulesQuery(workspace.id));
  const fim = useQuery(fimStatusQuery(workspace.id));
  const [chosen, setChosen] = useState<ReadonlySet<string>>();
  const [restores, setRestores] = useState(true);
  const names = recommended.data?.groups.flatMap(({ items }) => items.map(({ name }) => name)) ?? [];
  const disabled = chosen ?? leftOut(names, rules.data ?? []);
  const changed = changedTo(fim.data?.recommended.changed ?? [], rules.data ?? []);
  const queryClient = useQueryClient();
  const enable = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/api/v1/workspaces/{ws}/fim/enable', {
          params: { path: { ws: workspace.id } },
          body: { disabledItems: [...disabled], restoreChanged: changed.size > 0 && restores },
        }),
      ),
    onSuccess: async () => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: keys.workspaces }),
        queryClient.invalidateQueries({ queryKey: ['workspace'] }),
      ]);
      onEnabled();
    },
  });
  return (
    <OpenDialog onClose={onClose}>
      <DialogSurface className="dialog">
        <DialogBody>
          <DialogTitle>Enable monitoring on {workspace.name}</DialogTitle>
          <DialogContent className="form">
            <p>
              {formatQuantity(workspace.windows, 'Windows machine')} and{' '}
              {formatQuantity(workspace.linux, 'Linux machine')} will start reporting. The recommended items,
              based on known attack patterns, are selected unless they were turned off before. You can change
              them any time in Settings.
            </p>
            {(recommended.isPending || rules.isPending || fim.isPending) && <LoadingRows rows={4} />}
            {recommended.error && (
              <ErrorState
                error={recommended.error}
                what="the recommended items"
                onRetry={() => void recommended.refetch()}
              />
            )}
            {rules.error && (
              <ErrorState error={rules.error} what="the rules" onRetry={() => void rules.refetch()} />
            )}
            {fim.error && (
              <ErrorState
                error={fim.error}
                what="the state of monitoring"
                onRetry={() => void fim.refetch()}
              />
            )}
            {rules.data &&
              fim.data &&
              recommended.data?.groups.map((group) => (
                <RecommendedItems
                  key={group.type}
                  group={group}
                  disabled={disabled}
                  changed={changed}
                  onChange={setChosen}
                />
              ))}
            {changed.size > 0 && (
              <Checkbox
                label={`Put back as recommended what was changed (${formatQuantity(changed.size, 'item')})`}
                checked={restores}
                onChange={(_, { checked }) => setRestores(checked === true)}
              />
            )}
            {enable.error && <FormError>{messageOf(enable.error)}</FormError>}
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>Cancel</Button>
            <Button
              appearance="primary"
              className="nowrap"
              disabled={!recommended.data || !rules.data || !fim.data || enable.isPending}
              onClick={() => enable.mutate()}
            >
              Apply file integrity monitoring
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </OpenDialog>
  );
}
