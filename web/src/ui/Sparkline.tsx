const STEP = 6;
const HEIGHT = 24;
const LEAST = 1.5;

/** Small bars without axes: only the shape matters. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  if (values.length === 0) return <span className="muted">–</span>;
  const highest = Math.max(...values, 1);
  const bars = values.map((value, index) => ({
    x: index * STEP,
    height: Math.max(LEAST, (value / highest) * (HEIGHT - 1)),
  }));
  return (
    <svg className="spark" width={values.length * STEP} height={HEIGHT} role="img" aria-label={label}>
      {bars.map(({ x, height }) => (
        <rect key={x} x={x} y={HEIGHT - height} width={STEP - 2} height={height} rx={1} />
      ))}
    </svg>
  );
}
