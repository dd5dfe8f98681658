/** How far this device's clock is behind the server's, in milliseconds; negative when it is ahead. */
let offsetMillis = 0;

/** The server's time now: a wrong clock on this device must not hide the newest changes. */
export function serverNow(): number {
  return Date.now() + offsetMillis;
}

/** Learns the server's clock from the `Date` header of an answer. */
export function learnServerClock(dateHeader: string | null): void {
  if (!dateHeader) return;
  const server = Date.parse(dateHeader);
  if (Number.isNaN(server)) return;
  offsetMillis = clockOffset(server, Date.now());
}

/**
 * The header counts whole seconds and the answer took time to arrive, so clocks that differ by less than two seconds
 * are taken as equal. A second is added because the header is rounded down.
 */
export function clockOffset(serverMillis: number, localMillis: number): number {
  const difference = serverMillis + 1000 - localMillis;
  return Math.abs(difference) < 2000 ? 1000 : difference;
}
