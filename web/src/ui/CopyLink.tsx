import { Button } from '@fluentui/react-components';
import { Link20Regular } from '@fluentui/react-icons';
import { useCopy } from './useCopy';

/** Copies the address of what is shown, which reopens it. */
export function CopyLink() {
  const { outcome, copy } = useCopy();
  const words = { idle: 'Copy link', copied: 'Copied', refused: 'Not copied' }[outcome];
  return (
    <Button size="small" icon={<Link20Regular />} onClick={() => copy(location.href)}>
      {words}
    </Button>
  );
}
