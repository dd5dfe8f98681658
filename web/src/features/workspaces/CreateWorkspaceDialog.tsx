import {
  Button,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Field,
  Input,
} from '@fluentui/react-components';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { messageOf } from '../../api/problem';
import { keys } from '../../api/queries';
import type { Workspace } from '../../api/types';
import { FormError } from '../../ui/FormError';
import { OpenDialog } from '../../ui/OpenDialog';
import { useDiscardGuard } from '../../ui/useDiscardGuard';

type Props = { onCreated(workspace: Workspace): void; onClose(): void };

export function CreateWorkspaceDialog({ onCreated, onClose }: Props) {
  const [name, setName] = useState('');
  const [location, setLocation] = useState('');
  const [subscription, setSubscription] = useState('');
  const queryClient = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/api/v1/workspaces', {
          body: {
            name: name.trim(),
            ...(location.trim() ? { location: location.trim() } : {}),
            ...(subscription.trim() ? { subscription: subscription.trim() } : {}),
          },
        }),
      ),
    onSuccess: async (workspace) => {
      await queryClient.invalidateQueries({ queryKey: keys.workspaces });
      onCreated(workspace);
    },
  });
  const { leave, question } = useDiscardGuard(`${name}${location}${subscription}`.trim() !== '', onClose);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <OpenDialog onClose={leave}>
      <DialogSurface className="dialog">
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>Create a workspace</DialogTitle>
            <DialogContent className="form">
              <p>A workspace holds machines, what is monitored on them, and every change that was found.</p>
              {create.error && <FormError>{messageOf(create.error)}</FormError>}
              <Field label="Name" required hint="Letters, digits, “-”, “_” and “.”; at most 63 characters.">
                <Input value={name} onChange={(_, data) => setName(data.value)} autoComplete="off" />
              </Field>
              <Field label="Location" hint="Where its machines are, in your words.">
                <Input value={location} onChange={(_, data) => setLocation(data.value)} autoComplete="off" />
              </Field>
              <Field label="Subscription">
                <Input
                  value={subscription}
                  onChange={(_, data) => setSubscription(data.value)}
                  autoComplete="off"
                />
              </Field>
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>Cancel</Button>
              <Button appearance="primary" type="submit" disabled={!name.trim() || create.isPending}>
                Create
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
        {question}
      </DialogSurface>
    </OpenDialog>
  );
}
