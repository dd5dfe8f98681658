import { useState } from 'react';

/**
 * The code of a one-time link, which comes in the URL's fragment because a fragment is never sent to a server or
 * kept in its log. It is taken out of the address bar and the history at once.
 */
export function useOneTimeCode(): string | undefined {
  const [code] = useState(() => {
    const found = codeOf(location.hash);
    if (found !== undefined) history.replaceState(history.state, '', location.pathname + location.search);
    return found;
  });
  return code;
}

export function codeOf(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, '')).get('code') || undefined;
}
