/** The server's limits, told before it has to refuse. */
const LEAST = 10;
const MOST = 1000;

/** What is wrong with a new password itself; undefined if nothing is. */
export function passwordMistake(password: string): string | undefined {
  if (password === '') return `Type a password of at least ${LEAST} characters.`;
  const length = [...password].length;
  if (length < LEAST) return `The password needs at least ${LEAST} characters.`;
  if (length > MOST) return `The password may have at most ${MOST} characters.`;
  return undefined;
}

/** What is wrong with the password as it was typed again; undefined if nothing is. */
export function repeatMistake(password: string, repeat: string): string | undefined {
  if (repeat === '') return 'Type the new password once more.';
  return password === repeat ? undefined : 'The two passwords differ.';
}
