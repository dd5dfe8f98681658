import { Skeleton, SkeletonItem } from '@fluentui/react-components';

type Props = { rows?: number; height?: 16 | 24 | 32 | 40 | 48 | 64 | 96 | 128; label?: string };

/** Takes the room of what is on its way, so that nothing jumps when it arrives. */
export function LoadingRows({ rows = 6, height = 32, label = 'Loading' }: Props) {
  const items = Array.from({ length: rows }, (_, index) => index);
  return (
    <Skeleton aria-label={label} className="loading-rows">
      {items.map((item) => (
        <SkeletonItem key={item} size={height} />
      ))}
    </Skeleton>
  );
}
