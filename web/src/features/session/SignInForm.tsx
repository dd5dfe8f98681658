import { Button, Field, Input } from '@fluentui/react-components';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type KeyboardEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { messageOf } from '../../api/problem';
import type { SignedIn } from '../../api/types';
import { FormError } from '../../ui/FormError';
import { focusFirstMistake } from '../../ui/focusMistake';

type Props = { notice: string | undefined; onSignedIn(session: SignedIn): void };

export function SignInForm({ notice, onSignedIn }: Props) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [isCapsLockOn, setCapsLockOn] = useState(false);
  const signIn = useMutation({
    mutationKey: ['sign-in'],
    mutationFn: () => ok(api.POST('/api/v1/session', { body: { name, password } })),
    onSuccess: onSignedIn,
  });
  const [isAsked, setAsked] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (name && password) return signIn.mutate();
    setAsked(true);
    focusFirstMistake(event.currentTarget);
  };
  const missing = (value: string, validationMessage: string) =>
    isAsked && !value ? { validationMessage } : {};
  const watchCapsLock = (event: KeyboardEvent) => setCapsLockOn(event.getModifierState('CapsLock'));
  const message = signIn.error ? messageOf(signIn.error) : notice;
  return (
    <form className="form" noValidate onSubmit={submit}>
      <h1>Sign in</h1>
      {message && <FormError>{message}</FormError>}
      <Field label="Name" required {...missing(name, 'Type your name.')}>
        <Input
          name="name"
          autoComplete="username"
          autoFocus
          value={name}
          onChange={(_, data) => setName(data.value)}
        />
      </Field>
      <Field
        label="Password"
        required
        {...missing(password, 'Type your password.')}
        {...(isCapsLockOn ? { hint: 'Caps Lock is on' } : {})}
      >
        <Input
          name="password"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(_, data) => setPassword(data.value)}
          onKeyUp={watchCapsLock}
        />
      </Field>
      <Button appearance="primary" size="large" type="submit" disabled={signIn.isPending}>
        {signIn.isPending ? 'Signing in…' : 'Sign in'}
      </Button>
      <p className="muted small">
        First time here? Use the sign-in link that <code>steadfast up</code> printed. It works once;{' '}
        <code>steadfast sign-in</code> prints another.
      </p>
    </form>
  );
}
