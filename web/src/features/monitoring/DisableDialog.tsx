import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { keys } from '../../api/queries';
import type { Workspace } from '../../api/types';
import { ConfirmDialog } from '../../ui/ConfirmDialog';

/** Removes the solution from the workspace, which is what turns monitoring off. */
export function DisableDialog({ workspace, onClose }: { workspace: Workspace; onClose(): void }) {
  const queryClient = useQueryClient();
  const disable = useMutation({
    mutationFn: () =>
      ok(api.POST('/api/v1/workspaces/{ws}/fim/disable', { params: { path: { ws: workspace.id } } })),
    onSuccess: async () => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: keys.workspaces }),
        queryClient.invalidateQueries({ queryKey: ['workspace'] }),
      ]);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`Disable monitoring on ${workspace.name}?`}
      verb="Remove"
      typed={workspace.name}
      isPending={disable.isPending}
      error={disable.error}
      onConfirm={() => disable.mutate()}
      onClose={onClose}
    >
      The ChangeTracking solution is removed from this workspace. Its machines stop watching, and changes made
      from then on are not found. What was recorded so far stays and can be queried.
    </ConfirmDialog>
  );
}
