import { useEffect } from 'react';
import { isTyping } from '../ui/isTyping';

const STORAGE_KEY = 'shortcuts';
const SEQUENCE_MILLIS = 1200;

/** What the help dialog lists; the handlers are where the action is. */
export const SHORTCUTS = [
  { keys: ['/'], does: 'Search changes in this workspace' },
  { keys: ['g', 'w'], does: 'Go to the workspaces' },
  { keys: ['g', 'o'], does: 'Go to the workspace’s overview' },
  { keys: ['g', 'q'], does: 'Go to the query page' },
  { keys: ['g', 's'], does: 'Go to the settings' },
  { keys: ['r'], does: 'Refresh' },
  { keys: ['j', 'k'], does: 'Next, previous row or change' },
  { keys: ['Enter'], does: 'Open the row' },
  { keys: ['Esc'], does: 'Close what is open' },
  { keys: ['Shift+Enter'], does: 'Run the query' },
  { keys: ['Ctrl+M'], does: 'In the editor: Tab moves the focus' },
  { keys: ['?'], does: 'Show these shortcuts' },
] as const;

/** Keys without a modifier can be turned off, since speech input and shaky hands press them by accident. */
export function areShortcutsOn(): boolean {
  return localStorage.getItem(STORAGE_KEY) !== 'off';
}

export function setShortcutsOn(on: boolean): void {
  localStorage.setItem(STORAGE_KEY, on ? 'on' : 'off');
}

type Handlers = Record<string, (() => void) | undefined>;

/** Handles keys (`r`) and sequences (`g w`) while the component is mounted. */
export function useShortcuts(handlers: Handlers): void {
  useEffect(() => {
    let prefix = '';
    let prefixAt = 0;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || !areShortcutsOn())
        return;
      const isSequence = prefix !== '' && event.timeStamp - prefixAt < SEQUENCE_MILLIS;
      const name = isSequence ? `${prefix} ${event.key}` : event.key;
      const handler = handlers[name];
      prefix = isPrefix(event.key, handlers) && !isSequence ? event.key : '';
      prefixAt = event.timeStamp;
      if (!handler) return;
      event.preventDefault();
      handler();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [handlers]);
}

function isPrefix(key: string, handlers: Handlers): boolean {
  return Object.keys(handlers).some((name) => name.startsWith(`${key} `));
}
