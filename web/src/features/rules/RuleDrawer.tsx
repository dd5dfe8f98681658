import {
  Button,
  Drawer,
  DrawerBody,
  DrawerFooter,
  DrawerHeader,
  DrawerHeaderTitle,
  Field,
  Input,
  Select,
  Switch,
  Textarea,
} from '@fluentui/react-components';
import { Dismiss24Regular } from '@fluentui/react-icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { messageOf } from '../../api/problem';
import { keys } from '../../api/queries';
import type { Rule, SavedRule } from '../../api/types';
import { FormError } from '../../ui/FormError';
import { useDiscardGuard } from '../../ui/useDiscardGuard';
import { useFirstField } from '../../ui/useFirstField';
import { useReturnFocus } from '../../ui/useReturnFocus';
import {
  draftOf,
  isSameDraft,
  NEW_RULE,
  pathAdvice,
  RULE_TYPES,
  type RuleDraft,
  type RuleType,
  ruleOf,
} from './draft';

type Props = { ws: string; rule: Rule | undefined; onSaved(rule: SavedRule): void; onClose(): void };

/** Adds a rule, or edits the one that is given. */
export function RuleDrawer({ ws, rule, onSaved, onClose }: Props) {
  const [before] = useState<RuleDraft>(() => (rule ? draftOf(rule) : NEW_RULE));
  const [draft, setDraft] = useState(before);
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: () => saveRule(ws, rule, ruleOf(draft)),
    onSuccess: async (saved) => {
      await queryClient.invalidateQueries({ queryKey: keys.workspace(ws) });
      onSaved(saved);
    },
  });
  const firstField = useFirstField<HTMLInputElement>();
  const { leave, question } = useDiscardGuard(!isSameDraft(before, draft), onClose);
  useReturnFocus();
  const set = (patch: Partial<RuleDraft>) => setDraft((old) => ({ ...old, ...patch }));
  const advice = pathAdvice(draft.path, draft.type);
  const isReady = draft.name.trim() !== '' && draft.path.trim() !== '' && advice?.tone !== 'error';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) save.mutate();
  };

  return (
    <Drawer
      open
      position="end"
      type="overlay"
      className="rule-drawer"
      aria-label={rule ? `Edit rule ${rule.name}` : 'Add a rule'}
      onOpenChange={(_, { open }) => !open && leave()}
    >
      <form className="rule-form" onSubmit={submit}>
        <DrawerHeader>
          <DrawerHeaderTitle
            action={
              <Button appearance="subtle" icon={<Dismiss24Regular />} aria-label="Close" onClick={leave} />
            }
          >
            {rule ? 'Edit rule' : 'Add a rule'}
          </DrawerHeaderTitle>
        </DrawerHeader>
        <DrawerBody>
          <div className="form">
            {save.error && <FormError>{messageOf(save.error)}</FormError>}
            {rule?.group === 'Recommended' && (
              <p className="muted">
                A recommended item that watches something else counts as changed. To watch more, add a rule.
              </p>
            )}
            <Field label="Name" required>
              <Input
                ref={firstField}
                value={draft.name}
                autoComplete="off"
                onChange={(_, { value }) => set({ name: value })}
              />
            </Field>
            <Field label="Type" {...(rule ? { hint: 'A rule keeps the type that it was added with.' } : {})}>
              <Select
                value={draft.type}
                disabled={rule !== undefined}
                onChange={(_, { value }) =>
                  set({ type: TYPES.find((one) => one === value) ?? NEW_RULE.type })
                }
              >
                {TYPES.map((type) => (
                  <option key={type} value={type}>
                    {RULE_TYPES[type]}
                  </option>
                ))}
              </Select>
            </Field>
            <Field
              label="Path"
              required
              hint="“*” stands for anything in a segment, “**” for any number of segments."
              {...(advice ? { validationState: advice.tone, validationMessage: advice.text } : {})}
            >
              <Input
                input={{ className: 'mono' }}
                value={draft.path}
                autoComplete="off"
                spellCheck={false}
                onChange={(_, { value }) => set({ path: value })}
              />
            </Field>
            <Switch
              label="Recurse: everything below a matched folder too"
              checked={draft.recurse}
              onChange={(_, { checked }) => set({ recurse: checked })}
            />
            <Field label="Exclude" hint="Patterns of what is left out, one a line.">
              <Textarea
                textarea={{ className: 'mono' }}
                rows={3}
                spellCheck={false}
                value={draft.exclude}
                onChange={(_, { value }) => set({ exclude: value })}
              />
            </Field>
            <Field label="Links" hint="What is done at symbolic links.">
              <Select
                value={draft.links}
                onChange={(_, { value }) => set({ links: LINKS.find((one) => one === value) ?? 'follow' })}
              >
                <option value="follow">follow: what they point to is monitored</option>
                <option value="manage">manage: the link itself is monitored</option>
                <option value="ignore">ignore: they are left out</option>
              </Select>
            </Field>
            <Field label="Path type" hint="What the path names.">
              <Select
                value={draft.pathType}
                onChange={(_, { value }) =>
                  set({ pathType: PATH_TYPES.find((one) => one === value) ?? 'any' })
                }
              >
                <option value="any">any: files or folders</option>
                <option value="file">file: files only</option>
                <option value="folder">folder: folders and what they contain</option>
              </Select>
            </Field>
            {draft.type !== 'registry' && (
              <Field hint="Text up to 5 MB is sent to the server before and after a change, where owners may read it. Passwords, keys and tokens in known formats are masked on the machine; others are not.">
                <Switch
                  label="Store file content"
                  checked={draft.uploadContent}
                  onChange={(_, { checked }) => set({ uploadContent: checked })}
                />
              </Field>
            )}
            <Field label="Group">
              <Input
                value={draft.group}
                autoComplete="off"
                onChange={(_, { value }) => set({ group: value })}
              />
            </Field>
            <Switch
              label="Enabled"
              checked={draft.enabled}
              onChange={(_, { checked }) => set({ enabled: checked })}
            />
          </div>
        </DrawerBody>
        <DrawerFooter>
          <Button appearance="primary" type="submit" disabled={!isReady || save.isPending}>
            Save
          </Button>
          <Button onClick={onClose}>Discard</Button>
        </DrawerFooter>
      </form>
      {question}
    </Drawer>
  );
}

const TYPES: readonly RuleType[] = ['linux-file', 'windows-file', 'registry'];
const LINKS = ['follow', 'ignore', 'manage'] as const;
const PATH_TYPES = ['any', 'file', 'folder'] as const;

function saveRule(ws: string, old: Rule | undefined, rule: Rule): Promise<SavedRule> {
  if (!old) return ok(api.POST('/api/v1/workspaces/{ws}/rules', { params: { path: { ws } }, body: rule }));
  const { type: _type, ...patch } = rule;
  return ok(
    api.PATCH('/api/v1/workspaces/{ws}/rules/{name}', {
      params: { path: { ws, name: old.name } },
      body: patch,
    }),
  );
}
