import { useEffect, useState } from 'react';

type Outcome = 'idle' | 'copied' | 'refused';

const SHOWN_MILLIS = 1500;

/** Copies to the clipboard and tells for a moment what came of it. */
export function useCopy(): { outcome: Outcome; copy(text: string): void } {
  const [outcome, setOutcome] = useState<Outcome>('idle');

  useEffect(() => {
    if (outcome === 'idle') return undefined;
    const timer = setTimeout(() => setOutcome('idle'), SHOWN_MILLIS);
    return () => clearTimeout(timer);
  }, [outcome]);

  const copy = (text: string) => {
    // The clipboard is absent on pages served over plain HTTP from another machine.
    const copied = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    copied.then(
      () => setOutcome('copied'),
      () => setOutcome('refused'),
    );
  };
  return { outcome, copy };
}
