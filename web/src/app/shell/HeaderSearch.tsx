import { Search20Regular } from '@fluentui/react-icons';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type RefObject, useState } from 'react';
import { LONGEST_SEARCH } from '../searchParams';

type Props = { ws: string; inputRef: RefObject<HTMLInputElement | null> };

/** Finds changes from anywhere in the workspace. */
export function HeaderSearch({ ws, inputRef }: Props) {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const q = text.trim() || undefined;
    void navigate({ to: '/w/$ws', params: { ws }, search: (old) => ({ ...old, tab: 'changes', q }) });
    setText('');
    // On to what was found: a focus that is nowhere begins at the top again.
    document.querySelector<HTMLElement>('main')?.focus();
  };
  return (
    <search className="header-search">
      <form onSubmit={submit}>
        <Search20Regular aria-hidden />
        <input
          ref={inputRef}
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="Search paths and machines…"
          aria-label="Search changes in this workspace"
          aria-keyshortcuts="/"
          maxLength={LONGEST_SEARCH}
        />
        <span className="key-cap" aria-hidden="true">
          /
        </span>
      </form>
    </search>
  );
}
