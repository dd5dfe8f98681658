import { type RefObject, useEffect, useRef } from 'react';

/**
 * Puts the focus into a form's first field when the form opens. What the form opens in, such as a drawer, focuses its
 * first button in an effect of its own, which runs after those of what is inside of it; so this waits for the next frame.
 */
export function useFirstField<T extends HTMLElement>(): RefObject<T | null> {
  const field = useRef<T>(null);
  useEffect(() => {
    const frame = requestAnimationFrame(() => field.current?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  return field;
}
