/** The server's limits, told before it has to refuse. */
const LEAST = 10;
const MOST = 1000;

/** What is wrong with a new password; undefined if nothing is. */
export function passwordMistake(password: string, repeat: string): string | undefined {
  const length = [...password].length;
  if (length < LEAST) return `The password needs at least ${LEAST} characters.`;
  if (length > MOST) return `The password may have at most ${MOST} characters.`;
  if (password !== repeat) return 'The two passwords differ.';
  return undefined;
}
