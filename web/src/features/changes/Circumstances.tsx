import {
  PeopleTeam20Regular,
  PersonEdit20Regular,
  PersonQuestionMark20Regular,
  ScanDash20Regular,
} from '@fluentui/react-icons';
import type { ChangeDetail } from '../../api/types';
import { formatPreciseTimestamp } from '../../ui/format';
import { byLine, countedOthers, othersOf, personOf, programOf, whyUnknown } from './who';

const SOURCE_WORDS: Record<string, string> = {
  Scan: 'a scheduled scan',
  RealTime: 'the real-time watch',
  Agentless: 'a scan of a disk image',
  Ingestion: 'a program that sends records',
};

/** Who made the change, how it was found, by which rule, and when it happened if that is known. */
export function Circumstances({ change }: { change: ChangeDetail }) {
  return (
    <section className="circumstances" aria-label="Who made this change and how it was found">
      <Who change={change} />
      <Others change={change} />
      <ScanDash20Regular aria-hidden />
      <p>
        Found by <b>{SOURCE_WORDS[change.source] ?? change.source}</b>
        {change.rule && (
          <>
            {' '}
            through the rule <b>{change.rule}</b>
          </>
        )}
        {change.eventTime && (
          <span className="muted"> · happened {formatPreciseTimestamp(change.eventTime)}</span>
        )}
      </p>
      {change.explanation && <p className="explanation">{change.explanation}</p>}
    </section>
  );
}

function Who({ change }: { change: ChangeDetail }) {
  const unknown = whyUnknown(change);
  if (unknown !== undefined) {
    return (
      <>
        <PersonQuestionMark20Regular aria-hidden />
        <p className="muted">{unknown}</p>
      </>
    );
  }
  const program = programOf(change);
  return (
    <>
      <PersonEdit20Regular aria-hidden />
      <div>
        <p>
          <b>{personOf(change) ?? 'Somebody'}</b>
          {program ? (
            <>
              {' '}
              ran <code className="program">{program}</code>
            </>
          ) : (
            ' made it'
          )}
        </p>
        {change.actor && <Process actor={change.actor} />}
      </div>
    </>
  );
}

/** Who else had a part in it, each with all that is known when it is opened. */
function Others({ change }: { change: ChangeDetail }) {
  const count = othersOf(change);
  if (count === 0) return null;
  const more = change.moreOthers ?? 0;
  return (
    <>
      <PeopleTeam20Regular aria-hidden />
      <div>
        <p>
          <b>{countedOthers(count)}</b> had a part in it
        </p>
        <ul className="others">
          {change.others?.map((actor, place) => (
            // One process is told twice where it became another program, and the list never changes.
            <li key={place}>
              <details>
                <summary>{byLine({ actor }) ?? `process ${actor.processId}`}</summary>
                <Process actor={actor} />
                {actor.hasOwnView && (
                  <p className="muted">
                    The program is named as the process sees it, in a view of the file systems of its own;
                    elsewhere on the machine that name is another file’s, or may be.
                  </p>
                )}
              </details>
            </li>
          ))}
          {more > 0 && <li className="muted">{more} more, of which nothing was kept</li>}
        </ul>
      </div>
    </>
  );
}

/** All that is known of the process. */
function Process({ actor }: { actor: NonNullable<ChangeDetail['actor']> }) {
  const facts: [string, string | null | undefined][] = [
    ['Command line', actor.commandLine],
    ['Program', actor.executable],
    ['Process', String(actor.processId)],
    ['Started by', actor.parents?.replaceAll(' < ', ' ← ')],
    ['User', actor.user],
    ['Login user', actor.loginUser],
    ['Container', actor.container],
  ];
  return (
    <dl className="process">
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="mono">{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
