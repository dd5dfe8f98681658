import {
  Button,
  Menu,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Tooltip,
} from '@fluentui/react-components';
import {
  ChevronDown16Regular,
  DismissCircle20Regular,
  Link20Regular,
  PanelLeft20Regular,
  Play20Filled,
  TextAlignLeft20Regular,
} from '@fluentui/react-icons';
import { lazy, type RefObject, Suspense, useState } from 'react';
import { useCopy } from '../../ui/useCopy';
import type { KqlEditorHandle } from './kql/KqlEditor';
import type { KqlSetup } from './kql/protocol';
import { SCHEMA_PANEL } from './SchemaTree';
import { SAMPLES } from './samples';
import { useValidation } from './useValidation';

const KqlEditor = lazy(() => import('./kql/KqlEditor'));

type Props = {
  text: string;
  setup: KqlSetup | undefined;
  isRunning: boolean;
  editor: RefObject<KqlEditorHandle | null>;
  onChange(text: string): void;
  onRun(text: string): void;
  onCancel(): void;
  onSample(query: string): void;
  showsSchema: boolean;
  onToggleSchema(): void;
};

export function QueryEditorCard(props: Props) {
  const { text, setup, isRunning, editor, onChange, onRun, onCancel, onSample } = props;
  const { showsSchema, onToggleSchema } = props;
  const [isReady, setReady] = useState(false);
  const diagnostics = useValidation(text);
  return (
    <section className="card query-editor" aria-label="Query editor">
      <div className="bar query-bar">
        <Tooltip
          content={showsSchema ? 'Hide tables and samples' : 'Show tables and samples'}
          relationship="label"
        >
          <Button
            appearance="subtle"
            icon={<PanelLeft20Regular />}
            aria-expanded={showsSchema}
            aria-controls={showsSchema ? SCHEMA_PANEL : undefined}
            onClick={onToggleSchema}
          />
        </Tooltip>
        {isRunning ? (
          <Button icon={<DismissCircle20Regular />} onClick={onCancel}>
            Cancel
          </Button>
        ) : (
          <Button
            appearance="primary"
            icon={<Play20Filled />}
            disabled={!text.trim()}
            onClick={() => onRun(text)}
          >
            Run
          </Button>
        )}
        <kbd className="wide-only">Shift+Enter</kbd>
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <Button appearance="subtle" iconPosition="after" icon={<ChevronDown16Regular />}>
              Samples
            </Button>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              {SAMPLES.map(({ name, query }) => (
                <MenuItem key={name} onClick={() => onSample(query)}>
                  {name}
                </MenuItem>
              ))}
            </MenuList>
          </MenuPopover>
        </Menu>
        <span className="grow" />
        <span className={`language wide-only${isReady ? ' ready' : ''}`} role="status">
          {isReady ? 'IntelliSense ready' : 'Loading IntelliSense…'}
        </span>
        <Tooltip content={`Format (${FORMAT_KEYS})`} relationship="label">
          <Button
            appearance="subtle"
            icon={<TextAlignLeft20Regular />}
            disabled={!isReady}
            onClick={() => editor.current?.format()}
          />
        </Tooltip>
        <CopyLink />
      </div>
      <Suspense fallback={<pre className="kql-editor placeholder">{text}</pre>}>
        {setup ? (
          <KqlEditor
            ref={editor}
            initial={text}
            diagnostics={diagnostics}
            setup={setup}
            onChange={onChange}
            onRun={onRun}
            onReady={() => setReady(true)}
          />
        ) : (
          <pre className="kql-editor placeholder">{text}</pre>
        )}
      </Suspense>
    </section>
  );
}

/** The editor's own key for it, which differs by system. */
const FORMAT_KEYS = navigator.userAgent.includes('Linux') ? 'Ctrl+Shift+I' : 'Shift+Alt+F';

function CopyLink() {
  const { outcome, copy } = useCopy();
  const words = { idle: 'Copy link to this query', copied: 'Copied', refused: 'Not copied' }[outcome];
  return (
    <Tooltip content={words} relationship="label">
      <Button appearance="subtle" icon={<Link20Regular />} onClick={() => copy(location.href)} />
    </Tooltip>
  );
}
