/** A rectangle on the screen, in pixels. */
export type Rectangle = { x: number; y: number; width: number; height: number };

/**
 * An SVG path of rising lines over a rectangle, `spacing` pixels apart along its edges. The lines have fixed places on the
 * screen, so that those of neighbours meet.
 */
export function hatchPath({ x, y, width, height }: Rectangle, spacing: number): string {
  const lines: string[] = [];
  // On such a line the sum of both coordinates is the same everywhere.
  const first = Math.ceil((x + y) / spacing) * spacing;
  for (let sum = first; sum <= x + y + width + height; sum += spacing) {
    const offset = sum - x - y;
    const [left, right] = [Math.max(0, offset - height), Math.min(width, offset)];
    if (left < right) lines.push(`M${x + left} ${y + offset - left}L${x + right} ${y + offset - right}`);
  }
  return lines.join('');
}
