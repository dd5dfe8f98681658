const STEP = 6;
const HEIGHT = 24;
const LEAST = 1.5;

/** A value of a step, or that nobody knows it. */
export type SparkValue = number | null;

/** Small bars without axes: only the shape matters. Where the value is not known there is a column instead of a bar. */
export function Sparkline({ values, label }: { values: readonly SparkValue[]; label: string }) {
  if (values.length === 0) return <span className="muted">–</span>;
  const highest = Math.max(...values.map((value) => value ?? 0), 1);
  const bars = values.map((value, index) => ({
    x: index * STEP,
    isKnown: value !== null,
    height: value === null ? HEIGHT : Math.max(LEAST, (value / highest) * (HEIGHT - 1)),
  }));
  return (
    <svg className="spark" width={values.length * STEP} height={HEIGHT} role="img" aria-label={label}>
      <title>{label}</title>
      {bars.map(({ x, height, isKnown }) => (
        <rect
          key={x}
          className={isKnown ? undefined : 'unknown'}
          x={isKnown ? x : x - 1}
          y={HEIGHT - height}
          width={isKnown ? STEP - 2 : STEP}
          height={height}
          rx={isKnown ? 1 : 0}
        />
      ))}
    </svg>
  );
}
