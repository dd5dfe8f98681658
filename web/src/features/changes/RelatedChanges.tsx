import type { Change } from '../../api/types';
import { CategoryTag } from '../../domain/CategoryTag';
import { fieldsInWords } from '../../domain/field';
import { formatTimestamp } from '../../ui/format';

/** The entity's history. */
export function RelatedChanges({
  changes,
  onOpen,
}: {
  changes: readonly Change[];
  onOpen(id: string): void;
}) {
  if (changes.length === 0) {
    return <p className="muted drawer-note">No other change of this entity is recorded.</p>;
  }
  return (
    <ul className="related">
      {changes.map((change) => (
        <li key={change.id}>
          <button type="button" onClick={() => onOpen(change.id)}>
            <CategoryTag category={change.category} />
            <span className="changed-fields">{fieldsInWords(change.fields) || change.entity}</span>
            <span className="muted tabular">{formatTimestamp(change.time)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
