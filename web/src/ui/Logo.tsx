/** The product's mark: a shield with a tick. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg className="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path fill="currentColor" d="M16 2 4 6.5v8.7c0 7.3 5 12.9 12 14.8 7-1.9 12-7.5 12-14.8V6.5z" />
      <path
        className="logo-tick"
        fill="none"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
        d="m10.5 16 4 4 7.5-8"
      />
    </svg>
  );
}
