import type { OverviewSearch } from '../../app/searchParams';
import { FilterChip } from '../../ui/FilterChip';

type Props = { search: OverviewSearch; onChange(patch: Partial<OverviewSearch>): void };

export function FilterChips({ search, onChange }: Props) {
  const { type, category, machine } = search;
  if (!type && !category && !machine) return null;
  return (
    <div className="chips">
      {machine && (
        <FilterChip name="Machine" value={machine} onRemove={() => onChange({ machine: undefined })} />
      )}
      {type && <FilterChip name="Type" value={type} onRemove={() => onChange({ type: undefined })} />}
      {category && (
        <FilterChip name="Category" value={category} onRemove={() => onChange({ category: undefined })} />
      )}
    </div>
  );
}
