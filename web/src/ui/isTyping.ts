const TEXT_PLACES = 'input, textarea, select, [contenteditable], .monaco-editor, [role=menu], [role=listbox]';

/** True where a key is text or moves in a menu, and so is no shortcut. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(TEXT_PLACES) !== null;
}
