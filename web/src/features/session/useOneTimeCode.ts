import { useEffect, useEffectEvent, useState } from 'react';

/**
 * The code of the one-time link by which the page was opened. One that is put into the address bar later is handed to
 * `onLater`: another fragment loads no page anew.
 *
 * A code comes in the URL's fragment because a fragment is never sent to a server or kept in its log. It is taken out of
 * the address bar and the history at once.
 */
export function useOneTimeCode(onLater: (code: string) => void): string | undefined {
  const [code] = useState(takeCode);
  const hand = useEffectEvent(() => {
    const later = takeCode();
    if (later !== undefined) onLater(later);
  });
  useEffect(() => {
    const look = () => hand();
    window.addEventListener('hashchange', look);
    return () => window.removeEventListener('hashchange', look);
  }, []);
  return code;
}

function takeCode(): string | undefined {
  const found = codeOf(location.hash);
  if (found !== undefined) history.replaceState(history.state, '', location.pathname + location.search);
  return found;
}

export function codeOf(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, '')).get('code') || undefined;
}
