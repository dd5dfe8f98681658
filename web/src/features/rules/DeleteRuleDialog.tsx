import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, done } from '../../api/client';
import { keys } from '../../api/queries';
import type { Rule } from '../../api/types';
import { ConfirmDialog } from '../../ui/ConfirmDialog';

export function DeleteRuleDialog({ ws, rule, onClose }: { ws: string; rule: Rule; onClose(): void }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      done(api.DELETE('/api/v1/workspaces/{ws}/rules/{name}', { params: { path: { ws, name: rule.name } } })),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: keys.workspace(ws) });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`Delete the rule ${rule.name}?`}
      verb="Delete"
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <code>{rule.path}</code> is no longer monitored unless another rule names it. What was recorded so far
      stays. To stop for a while, disable the rule instead.
      {rule.group === 'Recommended' &&
        ' A recommended item comes back when monitoring is enabled again; one that is disabled stays so.'}
    </ConfirmDialog>
  );
}
