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
import { type FormEvent, useState } from 'react';
import { OpenDialog } from './OpenDialog';
import { absoluteRange, resolveRange } from './timeRange';

type Props = { range: string; now: number; onRange(range: string): void; onClose(): void };

/** The keyboard's way to what dragging over the histogram does. */
export function CustomRangeDialog({ range, now, onRange, onClose }: Props) {
  const ends = resolveRange(range, now);
  const [from, setFrom] = useState(localInput(ends.from));
  const [to, setTo] = useState(localInput(ends.to));
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const mistake = start < end ? undefined : 'The end must be after the start.';

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (mistake) return;
    onRange(absoluteRange(start, end));
    onClose();
  };

  return (
    <OpenDialog onClose={onClose}>
      <DialogSurface className="dialog narrow">
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>Custom range</DialogTitle>
            <DialogContent className="form">
              <Field label="From" required>
                <Input
                  type="datetime-local"
                  step="1"
                  value={from}
                  onChange={(_, data) => setFrom(data.value)}
                />
              </Field>
              <Field
                label="To"
                required
                {...(mistake ? { validationMessage: mistake, validationState: 'error' as const } : {})}
              >
                <Input type="datetime-local" step="1" value={to} onChange={(_, data) => setTo(data.value)} />
              </Field>
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>Cancel</Button>
              <Button appearance="primary" type="submit" disabled={mistake !== undefined}>
                Apply
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </OpenDialog>
  );
}

/** The local time in the form that the browser's date field takes. */
function localInput(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
