/** Puts the focus into the first field that says what is wrong with it, once it says so. */
export function focusFirstMistake(form: HTMLFormElement): void {
  requestAnimationFrame(() => form.querySelector<HTMLInputElement>('[aria-invalid=true]')?.focus());
}
