import type { ReactNode } from 'react';

export type Tone = 'good' | 'late' | 'bad' | 'busy' | 'off';

/** A coloured dot with its word: colour never says anything alone. */
export function StatusDot({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={`status ${tone}`}>
      <i aria-hidden="true" />
      {children}
    </span>
  );
}
