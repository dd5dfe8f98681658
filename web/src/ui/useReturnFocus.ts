import { useEffect, useState } from 'react';

/**
 * Gives the focus back, when what is open closes, to what had it before; else to the page's grid, or to the page.
 *
 * The library does so only for what its own triggers open, and rows and links open things too.
 */
export function useReturnFocus(): void {
  // Read while rendering: effects run after the focus has gone into what opens.
  const [before] = useState(() => openerOf(document.activeElement));
  useEffect(
    () => () => {
      // Whoever takes the focus on closing, such as a page that is gone to, keeps it.
      requestAnimationFrame(() => {
        if (isNowhere(document.activeElement)) focusAgain(before);
      });
    },
    [before],
  );
}

/** What opens something from a menu is the button of the menu: the item goes with it. */
function openerOf(element: Element | null): Element | null {
  const button = element?.closest('[role=menu]')?.getAttribute('aria-labelledby');
  return button ? document.getElementById(button) : element;
}

/** Gives the focus to the page's grid when what had it goes away by being used, as the button that takes a filter back does. */
export function useLeaveFocusToGrid(): void {
  useEffect(
    () => () => {
      requestAnimationFrame(() => {
        if (isNowhere(document.activeElement)) focusGrid();
      });
    },
    [],
  );
}

/** True if the focus is on nothing that a person could name. */
export function isNowhere(element: Element | null): boolean {
  return element === null || element === document.body || !element.isConnected;
}

/** Moves the focus to the grid of the page, if there is one. */
export function focusGrid(): void {
  document.querySelector<HTMLElement>('main .grid')?.focus();
}

function focusAgain(before: Element | null): void {
  // The page itself has the focus where nobody gave it to anything.
  if (before?.tagName !== 'MAIN' && before instanceof HTMLElement && !isNowhere(before)) before.focus();
  if (isNowhere(document.activeElement)) focusGrid();
  if (isNowhere(document.activeElement)) document.querySelector<HTMLElement>('main')?.focus();
}
