import { Button, Field, Input } from '@fluentui/react-components';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { api, done } from '../../api/client';
import { messageOf } from '../../api/problem';
import { keys, sessionQuery } from '../../api/queries';
import { FormError } from '../../ui/FormError';
import { focusFirstMistake } from '../../ui/focusMistake';
import { useFirstField } from '../../ui/useFirstField';
import { passwordMistake, repeatMistake } from './password';

type Props = {
  asksCurrent: boolean;
  cancelWord: string;
  onDone(): void;
  onCancel(): void;
  /** Told whether something was typed. */
  onChanged?(isChanged: boolean): void;
};

/** Sets the user's own password. */
export function PasswordForm({ asksCurrent, cancelWord, onDone, onCancel, onChanged }: Props) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [repeat, setRepeat] = useState('');
  const firstField = useFirstField<HTMLInputElement>();
  const isChanged = `${current}${next}${repeat}` !== '';
  useEffect(() => onChanged?.(isChanged), [isChanged, onChanged]);
  const queryClient = useQueryClient();
  const user = useQuery(sessionQuery).data?.user.name;
  const [isNextLeft, setNextLeft] = useState(false);
  // What is missing is told once somebody wants to save, since a form that was just opened holds no mistake yet.
  const [isAsked, setAsked] = useState(false);
  const missing = asksCurrent && current === '' ? 'Type the password that you have now.' : undefined;
  const mistake = passwordMistake(next);
  const difference = repeatMistake(next, repeat);
  const save = useMutation({
    mutationFn: () =>
      done(
        api.PUT('/api/v1/users/me/password', {
          body: { newPassword: next, ...(asksCurrent ? { currentPassword: current } : {}) },
        }),
      ),
    // Whether the current password is asked for changes with time.
    onError: () => queryClient.invalidateQueries({ queryKey: keys.session }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: keys.session });
      onDone();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (missing === undefined && mistake === undefined && difference === undefined) return save.mutate();
    setAsked(true);
    focusFirstMistake(event.currentTarget);
  };
  return (
    <form className="form" noValidate onSubmit={submit}>
      {save.error && <FormError>{messageOf(save.error)}</FormError>}
      {user !== undefined && (
        <p>
          You will sign in as <b>{user}</b>.
        </p>
      )}
      {/* What keeps passwords needs to know whose it is. */}
      <input type="text" autoComplete="username" value={user ?? ''} readOnly hidden />
      {asksCurrent && (
        <Field label="Current password" required {...(isAsked && missing ? errorState(missing) : {})}>
          <Input
            ref={firstField}
            type="password"
            autoComplete="current-password"
            value={current}
            onChange={(_, data) => setCurrent(data.value)}
          />
        </Field>
      )}
      <Field
        label="New password"
        required
        // The mistake says the same, so that one of the two is enough.
        {...((isAsked || (next && isNextLeft)) && mistake ? errorState(mistake) : { hint: HINT })}
      >
        <Input
          ref={asksCurrent ? undefined : firstField}
          type="password"
          autoComplete="new-password"
          value={next}
          onChange={(_, data) => setNext(data.value)}
          onBlur={() => setNextLeft(true)}
        />
      </Field>
      <Field
        label="New password again"
        required
        {...((isAsked || repeat) && !mistake && difference ? errorState(difference) : {})}
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
        <Button appearance="primary" type="submit" disabled={save.isPending}>
          Set password
        </Button>
      </div>
    </form>
  );
}

const HINT = 'At least 10 characters; a sentence is easy to remember.';

function errorState(validationMessage: string) {
  return { validationMessage, validationState: 'error' as const };
}
