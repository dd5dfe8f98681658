import { Spinner } from '@fluentui/react-components';
import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, ok } from '../../api/client';
import { messageOf } from '../../api/problem';
import type { SignedIn } from '../../api/types';

type Props = { code: string; onSignedIn(session: SignedIn): void; onRefused(why: string): void };

/** Signs in with the code of a link, without a question. */
export function OneTimeSignIn({ code, onSignedIn, onRefused }: Props) {
  const { mutate } = useMutation({
    mutationKey: ['sign-in'],
    mutationFn: () => ok(api.POST('/api/v1/session/one-time', { body: { code } })),
    onSuccess: onSignedIn,
    onError: (error) => onRefused(messageOf(error)),
  });
  // The code works once, so it must be sent once.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the code decides whether to send.
  useEffect(() => mutate(), [code]);
  return (
    <div className="form">
      <h1>Signing in</h1>
      <Spinner size="small" label="Checking the link…" />
    </div>
  );
}
