import { Switch } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import './rules.css';
import type { Rule } from '../../api/types';
import type { Column } from '../../ui/column';
import { DataGrid } from '../../ui/DataGrid';
import { PathText } from '../../ui/PathText';
import { WithReason } from '../../ui/WithReason';
import { RULE_TYPES } from './draft';
import { RuleMenu } from './RuleMenu';

type Props = {
  rules: readonly Rule[];
  empty: ReactNode;
  refusal: string | undefined;
  onToggle(rule: Rule): void;
  onEdit(rule: Rule): void;
  onDelete(rule: Rule): void;
};

export function RuleGrid({ rules, empty, refusal, onToggle, onEdit, onDelete }: Props) {
  const enabled: Column<Rule> = {
    id: 'enabled',
    header: 'Enabled',
    value: (rule) => Number(rule.enabled ?? true),
    width: '76px',
    narrowWidth: '60px',
    cell: (rule) => (
      <WithReason reason={refusal}>
        <Switch
          aria-label={`Rule ${rule.name} is enabled`}
          checked={rule.enabled ?? true}
          disabled={refusal !== undefined}
          onClick={(event) => event.stopPropagation()}
          onChange={() => onToggle(rule)}
        />
      </WithReason>
    ),
  };
  const menu: Column<Rule> = {
    id: 'menu',
    header: '',
    value: () => null,
    sortable: false,
    width: '36px',
    cell: (rule) => (
      <RuleMenu rule={rule} refusal={refusal} onEdit={() => onEdit(rule)} onDelete={() => onDelete(rule)} />
    ),
  };
  return (
    <DataGrid
      label="Rules"
      rows={rules}
      rowId={({ name }) => name}
      rowHeight={44}
      columns={[enabled, ...COLUMNS, menu]}
      empty={empty}
      {...(refusal === undefined ? { onOpen: onEdit } : {})}
    />
  );
}

const COLUMNS: readonly Column<Rule>[] = [
  {
    id: 'name',
    header: 'Name',
    value: ({ name }) => name,
    width: 'minmax(170px, 1.2fr)',
    narrowWidth: 'minmax(0, 1fr)',
    cell: ({ name }) => <b className="rule-name">{name}</b>,
  },
  {
    id: 'path',
    header: 'Path',
    value: ({ path }) => path,
    width: 'minmax(160px, 2fr)',
    narrowWidth: 'minmax(0, 1.2fr)',
    cell: ({ path }) => <PathText path={path} />,
  },
  {
    id: 'type',
    header: 'Type',
    value: ({ type }) => RULE_TYPES[type ?? 'linux-file'],
    width: '110px',
    hideNarrow: true,
  },
  {
    id: 'recurse',
    header: 'Recurse',
    value: ({ recurse }) => (recurse ? 'yes' : 'no'),
    width: '80px',
    hideNarrow: true,
  },
  { id: 'links', header: 'Links', value: ({ links }) => links, width: '80px', hideNarrow: true },
  { id: 'pathType', header: 'Path type', value: ({ pathType }) => pathType, width: '84px', hideNarrow: true },
  {
    id: 'exclude',
    header: 'Exclude',
    value: ({ exclude }) => exclude?.join(', ') || null,
    width: 'minmax(100px, 1fr)',
    hideNarrow: true,
    mono: true,
  },
  { id: 'group', header: 'Group', value: ({ group }) => group, width: '128px', hideNarrow: true },
];
