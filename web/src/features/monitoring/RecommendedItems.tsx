import { Checkbox } from '@fluentui/react-components';
import type { RecommendedGroup } from '../../api/types';
import { checkState, withAll, withItem } from './selection';

type Props = {
  group: RecommendedGroup;
  disabled: ReadonlySet<string>;
  /** What those watch now that do not watch what is recommended. */
  changed: ReadonlyMap<string, string>;
  onChange(disabled: ReadonlySet<string>): void;
};

/** The items of one type, each with its box, and a box for all of them. */
export function RecommendedItems({ group, disabled, changed, onChange }: Props) {
  const names = group.items.map(({ name }) => name);
  const chosen = names.filter((name) => !disabled.has(name)).length;
  return (
    <fieldset className="recommended">
      <legend className="visually-hidden">{group.title}</legend>
      <div className="recommended-all">
        <Checkbox
          label={`${group.title} (${chosen} of ${names.length})`}
          checked={checkState(names, disabled)}
          onChange={(_, { checked }) => onChange(withAll(disabled, names, checked === true))}
        />
      </div>
      <ul>
        {group.items.map(({ name, path }) => (
          <li key={name}>
            <Checkbox
              label={
                <>
                  <code>{path}</code>
                  {changed.has(name) && <span className="recommended-changed">{changed.get(name)}</span>}
                </>
              }
              checked={!disabled.has(name)}
              onChange={(_, { checked }) => onChange(withItem(disabled, name, checked === true))}
            />
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
