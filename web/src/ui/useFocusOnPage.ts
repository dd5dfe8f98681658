import { useEffect } from 'react';
import { isNowhere } from './useReturnFocus';

/** The page that the browser loaded starts where the browser says. */
let isFirst = true;

/** Starts a page with the focus in it where the page before took the focus with it. */
export function useFocusOnPage(): void {
  useEffect(() => {
    if (!isFirst && isNowhere(document.activeElement)) {
      document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
    }
    isFirst = false;
  }, []);
}
