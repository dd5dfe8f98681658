import {
  Button,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
  Field,
  MessageBar,
  MessageBarBody,
  MessageBarTitle,
  Select,
} from '@fluentui/react-components';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { messageOf } from '../../api/problem';
import { CopyButton } from '../../ui/CopyButton';
import { FormError } from '../../ui/FormError';
import { formatTimestamp } from '../../ui/format';
import { OpenDialog } from '../../ui/OpenDialog';
import { loopbackServer } from './loopback';

const LIFETIMES = [
  { seconds: 3600, label: '1 hour' },
  { seconds: 86_400, label: '1 day' },
  { seconds: 604_800, label: '7 days' },
] as const;

/** Makes a token and shows it beside the one line that enrols a machine with it. */
export function AddMachineDialog({ ws, onClose }: { ws: string; onClose(): void }) {
  const [lifetime, setLifetime] = useState<number>(LIFETIMES[0].seconds);
  const create = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/api/v1/workspaces/{ws}/enrollment-tokens', {
          params: { path: { ws } },
          body: { expiresInSeconds: lifetime },
        }),
      ),
  });
  const token = create.data;
  const loopback = token && loopbackServer(token.command);
  return (
    <OpenDialog onClose={onClose}>
      <DialogSurface className="dialog">
        <DialogBody>
          <DialogTitle>Add a machine</DialogTitle>
          <DialogContent className="form">
            {create.error && <FormError>{messageOf(create.error)}</FormError>}
            {token ? (
              <>
                <p>
                  Install the agent on the machine and run this there as root. It asks for the token, which
                  works once.
                </p>
                {loopback && <LoopbackWarning server={loopback} />}
                <div className="command">
                  <code>{token.command}</code>
                  <CopyButton text={token.command} label="Copy the command" />
                </div>
                <div className="command">
                  <code>{token.token}</code>
                  <CopyButton text={token.token} label="Copy the token" />
                </div>
                <dl className="facts">
                  <dt>Good until</dt>
                  <dd>{formatTimestamp(token.expiresAt)}</dd>
                  <dt>Fingerprint of the server’s CA</dt>
                  <dd className="mono">{token.caFingerprint}</dd>
                </dl>
              </>
            ) : (
              <>
                <p>
                  A machine enrols with a token that works once. The command also carries the fingerprint of
                  this server’s certificate authority, so that the agent cannot be led to another server.
                </p>
                <Field label="The token is good for">
                  <Select value={lifetime} onChange={(_, data) => setLifetime(Number(data.value))}>
                    {LIFETIMES.map(({ seconds, label }) => (
                      <option key={seconds} value={seconds}>
                        {label}
                      </option>
                    ))}
                  </Select>
                </Field>
              </>
            )}
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>{token ? 'Close' : 'Cancel'}</Button>
            {!token && (
              <Button appearance="primary" disabled={create.isPending} onClick={() => create.mutate()}>
                Create the command
              </Button>
            )}
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </OpenDialog>
  );
}

function LoopbackWarning({ server }: { server: string }) {
  return (
    <MessageBar intent="warning" layout="multiline">
      <MessageBarBody>
        <MessageBarTitle>Other machines cannot reach this server.</MessageBarTitle>
        It listens at <code>{server}</code>, which is this machine alone. Start it with{' '}
        <code>--listen 0.0.0.0:8443</code> and create the command again.
      </MessageBarBody>
    </MessageBar>
  );
}
