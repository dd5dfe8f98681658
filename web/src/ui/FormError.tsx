import { MessageBar, MessageBarBody } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import { Sentence } from './Sentence';

export function FormError({ children }: { children: ReactNode }) {
  return (
    <MessageBar intent="error" layout="multiline" role="alert">
      <MessageBarBody>
        {typeof children === 'string' ? <Sentence>{children}</Sentence> : children}
      </MessageBarBody>
    </MessageBar>
  );
}
