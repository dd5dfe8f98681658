import { ArrowRight12Filled } from '@fluentui/react-icons';
import type { Attribute, ChangeCategory } from '../../api/types';
import { attributeText } from './attributeText';

type Props = { attributes: readonly Attribute[]; category: ChangeCategory };

/** Every attribute before and after; the rows that differ are marked by word and by colour. */
export function AttributeTable({ attributes, category }: Props) {
  return (
    <table className="attributes">
      <thead>
        <tr>
          <th scope="col">Attribute</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {attributes.map((attribute) => (
          <AttributeRow
            key={attribute.name}
            attribute={attribute}
            // In a new or a removed entity everything differs, so marking it would say nothing.
            isMarked={attribute.changed && category === 'Modified'}
          />
        ))}
      </tbody>
    </table>
  );
}

function AttributeRow({ attribute, isMarked }: { attribute: Attribute; isMarked: boolean }) {
  const { name, before, after, mono } = attribute;
  const faceOf = (value: string | null) => (mono && value !== null ? 'mono' : undefined);
  return (
    <tr className={isMarked ? 'changed' : undefined}>
      <th scope="row">
        {name}
        {isMarked && (
          <span className="changed-mark">
            <ArrowRight12Filled aria-hidden />
            changed
          </span>
        )}
      </th>
      <td className={faceOf(before)}>
        <Value name={name} value={before} />
      </td>
      <td className={faceOf(after)}>
        <Value name={name} value={after} />
      </td>
    </tr>
  );
}

function Value({ name, value }: { name: string; value: string | null }) {
  return value === null ? <span className="muted">—</span> : attributeText(name, value);
}
