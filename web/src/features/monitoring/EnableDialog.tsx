import {
  Button,
  Dialog,
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
import { keys, recommendedQuery } from '../../api/queries';
import type { Workspace } from '../../api/types';
import { ErrorState } from '../../ui/ErrorState';
import { FormError } from '../../ui/FormError';
import { formatQuantity } from '../../ui/format';
import { LoadingRows } from '../../ui/LoadingRows';
import { RecommendedItems } from './RecommendedItems';

type Props = { workspace: Workspace; onEnabled(): void; onClose(): void };

/** Turns monitoring on, with the recommended items that the user leaves checked. */
export function EnableDialog({ workspace, onEnabled, onClose }: Props) {
  const recommended = useQuery(recommendedQuery);
  const [disabled, setDisabled] = useState<ReadonlySet<string>>(new Set());
  const queryClient = useQueryClient();
  const enable = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/api/v1/workspaces/{ws}/fim/enable', {
          params: { path: { ws: workspace.id } },
          body: { disabledItems: [...disabled] },
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
    <Dialog open onOpenChange={(_, { open }) => !open && onClose()}>
      <DialogSurface className="dialog">
        <DialogBody>
          <DialogTitle>Enable monitoring on {workspace.name}</DialogTitle>
          <DialogContent className="form">
            <p>
              {formatQuantity(workspace.windows, 'Windows machine')} and{' '}
              {formatQuantity(workspace.linux, 'Linux machine')} will start reporting. The recommended items,
              based on known attack patterns, are selected. You can change them any time in Settings.
            </p>
            {recommended.isPending && <LoadingRows rows={4} />}
            {recommended.error && (
              <ErrorState
                error={recommended.error}
                what="the recommended items"
                onRetry={() => void recommended.refetch()}
              />
            )}
            {recommended.data?.groups.map((group) => (
              <RecommendedItems key={group.type} group={group} disabled={disabled} onChange={setDisabled} />
            ))}
            {enable.error && <FormError>{messageOf(enable.error)}</FormError>}
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>Cancel</Button>
            <Button
              appearance="primary"
              className="nowrap"
              disabled={!recommended.data || enable.isPending}
              onClick={() => enable.mutate()}
            >
              Apply file integrity monitoring
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
