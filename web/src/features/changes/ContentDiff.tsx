import { useQuery } from '@tanstack/react-query';
import { contentQuery } from '../../api/queries';
import type { ChangeContent, ContentHunk } from '../../api/types';
import { ErrorState } from '../../ui/ErrorState';
import { LoadingRows } from '../../ui/LoadingRows';
import { visible, whyNoText } from './contentText';

/** How the text of the file differs, line by line. It is asked for when it is to be shown: each reading is noted. */
export function ContentDiff({ ws, id }: { ws: string; id: string }) {
  const content = useQuery(contentQuery(ws, id));
  if (content.isPending) return <LoadingRows label="Loading the text" />;
  if (!content.data) {
    return <ErrorState error={content.error} what="this text" onRetry={() => void content.refetch()} />;
  }
  return <Difference content={content.data} />;
}

function Difference({ content }: { content: ChangeContent }) {
  const why = whyNoText(content);
  if (why) return <p className="muted drawer-note">{why}</p>;
  return (
    <div className="content-diff">
      {content.hunks.map((hunk) => (
        <Hunk key={`${hunk.beforeStart} ${hunk.afterStart}`} hunk={hunk} />
      ))}
      <p className="muted drawer-note">
        {content.isCut && 'The difference goes on; only its beginning is shown. '}
        Secrets in known formats are masked as [masked:…]: another mark is another secret.
      </p>
    </div>
  );
}

/** A stretch as a table: the numbers of a line before and after, the sign that says what became of it, and the line. */
function Hunk({ hunk }: { hunk: ContentHunk }) {
  let before = hunk.beforeStart;
  let after = hunk.afterStart;
  return (
    <table>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">Line before</th>
          <th scope="col">Line after</th>
          <th scope="col">Change</th>
          <th scope="col">Text</th>
        </tr>
      </thead>
      <tbody>
        {hunk.lines.map((line) => {
          const numberBefore = line.kind === 'added' ? undefined : before++;
          const numberAfter = line.kind === 'removed' ? undefined : after++;
          return (
            <tr key={`${numberBefore ?? ''} ${numberAfter ?? ''}`} className={line.kind}>
              <td className="number">{numberBefore}</td>
              <td className="number">{numberAfter}</td>
              <td className="sign">
                <span aria-hidden>{SIGNS[line.kind]}</span>
                <span className="visually-hidden">{line.kind}</span>
              </td>
              <td className="mono">{visible(line.text)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const SIGNS: Readonly<Record<ContentHunk['lines'][number]['kind'], string>> = {
  same: ' ',
  removed: '−',
  added: '+',
};
