import { Button, type ButtonProps, Tooltip } from '@fluentui/react-components';
import { Checkmark16Regular, Copy16Regular } from '@fluentui/react-icons';
import { useCopy } from './useCopy';

type Props = { text: string; label: string; size?: ButtonProps['size']; className?: string };

export function CopyButton({ text, label, size = 'small', className }: Props) {
  const { outcome, copy } = useCopy();
  const words = { idle: label, copied: 'Copied', refused: 'The browser refused to copy' }[outcome];
  return (
    <Tooltip content={words} relationship="label">
      <Button
        size={size}
        className={className}
        appearance="subtle"
        icon={outcome === 'copied' ? <Checkmark16Regular /> : <Copy16Regular />}
        onClick={() => copy(text)}
      />
    </Tooltip>
  );
}
