import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, ok } from '../../api/client';
import type { Diagnostic } from '../../api/types';

const TYPING_PAUSE_MILLIS = 400;
const NONE: readonly Diagnostic[] = [];

/** What the server says of the text as it is now; nothing while it is being typed. */
export function useValidation(text: string): readonly Diagnostic[] {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPING_PAUSE_MILLIS);
    return () => clearTimeout(timer);
  }, [text]);
  const validation = useQuery({
    queryKey: ['query', 'validate', settled],
    enabled: settled.trim() !== '',
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => ok(api.POST('/api/v1/query/validate', { body: { query: settled }, signal })),
  });
  // Places in an older text would underline the wrong words.
  return settled === text && !validation.isPlaceholderData ? (validation.data?.diagnostics ?? NONE) : NONE;
}
