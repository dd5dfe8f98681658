import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import '../features/session/session.css';
import { keys } from '../api/queries';
import { rememberSessionKey } from '../api/sessionKey';
import type { SignedIn } from '../api/types';
import { safeNext } from '../app/searchParams';
import { OneTimeSignIn } from '../features/session/OneTimeSignIn';
import { PasswordForm } from '../features/session/PasswordForm';
import { SignInForm } from '../features/session/SignInForm';
import { useOneTimeCode } from '../features/session/useOneTimeCode';
import { Logo } from '../ui/Logo';

type Step =
  | { name: 'code'; code: string }
  | { name: 'form'; notice: string | undefined }
  | { name: 'password' };

const route = getRouteApi('/login');

export default function LoginPage() {
  const { next } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const code = useOneTimeCode((later) => setStep({ name: 'code', code: later }));
  const [step, setStep] = useState<Step>(code ? { name: 'code', code } : { name: 'form', notice: undefined });

  const enter = () => router.history.push(safeNext(next));
  const onSignedIn = ({ sessionKey, ...session }: SignedIn) => {
    rememberSessionKey(sessionKey);
    queryClient.setQueryData(keys.session, session);
    if (session.mustSetPassword) setStep({ name: 'password' });
    else enter();
  };

  return (
    <main className="login">
      <div className="card login-card">
        <div className="login-brand">
          <Logo size={28} />
          Steadfast
        </div>
        {renderStep(step)}
      </div>
    </main>
  );

  function renderStep(current: Step) {
    switch (current.name) {
      case 'code':
        return (
          <OneTimeSignIn
            key={current.code}
            code={current.code}
            onSignedIn={onSignedIn}
            onRefused={(notice) => setStep({ name: 'form', notice })}
          />
        );
      case 'form':
        return <SignInForm notice={current.notice} onSignedIn={onSignedIn} />;
      case 'password':
        return (
          <>
            <h1>Set a password</h1>
            <p className="lede">
              You are signed in. The link does not work again, so set a password for the next time.
            </p>
            <PasswordForm asksCurrent={false} cancelWord="Skip for now" onDone={enter} onCancel={enter} />
          </>
        );
    }
  }
}
