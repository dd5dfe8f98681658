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
import { type FormEvent, type ReactNode, useState } from 'react';
import { messageOf } from '../api/problem';
import { FormError } from './FormError';
import { OpenDialog } from './OpenDialog';

type Props = {
  title: string;
  children: ReactNode;
  /** The word on the button that does it. */
  verb: string;
  /** What has to be typed first, for what cannot be undone. */
  typed?: string;
  isPending: boolean;
  error: unknown;
  onConfirm(): void;
  onClose(): void;
};

export function ConfirmDialog({ title, children, verb, typed, isPending, error, onConfirm, onClose }: Props) {
  const [text, setText] = useState('');
  const isReady = typed === undefined || text === typed;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) onConfirm();
  };
  return (
    <OpenDialog onClose={onClose}>
      <DialogSurface className="dialog">
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>{title}</DialogTitle>
            <DialogContent className="form">
              <div>{children}</div>
              {typed !== undefined && (
                <Field label={`Type ${typed} to confirm`}>
                  <Input value={text} onChange={(_, data) => setText(data.value)} autoComplete="off" />
                </Field>
              )}
              {error ? <FormError>{messageOf(error)}</FormError> : null}
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>Cancel</Button>
              <Button appearance="primary" className="danger" type="submit" disabled={!isReady || isPending}>
                {verb}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </OpenDialog>
  );
}
