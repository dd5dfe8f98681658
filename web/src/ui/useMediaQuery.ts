import { useSyncExternalStore } from 'react';

/** Below this width lists stack what they show; the same as in the style sheets. */
export const NARROW = '(max-width: 720px)';

/** Whether a media query holds, now and after each time that the window changes. */
export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const list = matchMedia(query);
      list.addEventListener('change', changed);
      return () => list.removeEventListener('change', changed);
    },
    () => matchMedia(query).matches,
  );
}
