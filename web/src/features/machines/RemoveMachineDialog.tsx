import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, done } from '../../api/client';
import { keys } from '../../api/queries';
import type { Machine } from '../../api/types';
import { ConfirmDialog } from '../../ui/ConfirmDialog';

export function RemoveMachineDialog({
  ws,
  machine,
  onClose,
}: {
  ws: string;
  machine: Machine;
  onClose(): void;
}) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      done(
        api.DELETE('/api/v1/workspaces/{ws}/machines/{machine}', {
          params: { path: { ws, machine: machine.id } },
        }),
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: keys.workspace(ws) });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`Remove ${machine.name}?`}
      verb="Remove"
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      Its certificate is refused from now on, so its agent can send nothing more. What it has sent stays and
      can be queried. To bring it back, enrol it again.
    </ConfirmDialog>
  );
}
