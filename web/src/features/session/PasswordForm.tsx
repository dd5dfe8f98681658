import { Button, Field, Input } from '@fluentui/react-components';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, done } from '../../api/client';
import { messageOf } from '../../api/problem';
import { keys } from '../../api/queries';
import { FormError } from '../../ui/FormError';
import { passwordMistake } from './password';

type Props = { asksCurrent: boolean; cancelWord: string; onDone(): void; onCancel(): void };

/** Sets the user's own password. */
export function PasswordForm({ asksCurrent, cancelWord, onDone, onCancel }: Props) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [repeat, setRepeat] = useState('');
  const queryClient = useQueryClient();
  const mistake = passwordMistake(next, repeat);
  const save = useMutation({
    mutationFn: () =>
      done(
        api.PUT('/api/v1/users/me/password', {
          body: { newPassword: next, ...(asksCurrent ? { currentPassword: current } : {}) },
        }),
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: keys.session });
      onDone();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!mistake) save.mutate();
  };
  return (
    <form className="form" onSubmit={submit}>
      {save.error && <FormError>{messageOf(save.error)}</FormError>}
      {asksCurrent && (
        <Field label="Current password" required>
          <Input
            type="password"
            autoComplete="current-password"
            value={current}
            onChange={(_, data) => setCurrent(data.value)}
          />
        </Field>
      )}
      <Field label="New password" required hint="At least 10 characters; a sentence is easy to remember.">
        <Input
          type="password"
          autoComplete="new-password"
          value={next}
          onChange={(_, data) => setNext(data.value)}
        />
      </Field>
      <Field
        label="New password again"
        required
        {...(repeat && mistake ? { validationMessage: mistake, validationState: 'error' as const } : {})}
      >
        <Input
          type="password"
          autoComplete="new-password"
          value={repeat}
          onChange={(_, data) => setRepeat(data.value)}
        />
      </Field>
      <div className="form-actions">
        <Button onClick={onCancel}>{cancelWord}</Button>
        <Button appearance="primary" type="submit" disabled={mistake !== undefined || save.isPending}>
          Set password
        </Button>
      </div>
    </form>
  );
}
