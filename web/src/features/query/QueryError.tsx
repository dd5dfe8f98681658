import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-components';
import { messageOf, Problem } from '../../api/problem';
import { mistakeText } from './kql/markers';

/** What the server says of a query that it could not answer, with the place of each mistake. */
export function QueryError({ error }: { error: unknown }) {
  const diagnostics = error instanceof Problem ? error.diagnostics : [];
  return (
    <div className="query-error" role="alert">
      <MessageBar intent="error" layout="multiline">
        <MessageBarBody>
          <MessageBarTitle>{error instanceof Problem ? error.title : 'The query failed'}</MessageBarTitle>
          {diagnostics.length === 0 && messageOf(error)}
          {diagnostics.length > 0 && (
            <ul>
              {diagnostics.map((diagnostic) => (
                <li key={`${diagnostic.line}:${diagnostic.column}:${diagnostic.code}`}>
                  <b>
                    Line {diagnostic.line}, column {diagnostic.column}:
                  </b>{' '}
                  {mistakeText(diagnostic)}
                </li>
              ))}
            </ul>
          )}
        </MessageBarBody>
      </MessageBar>
    </div>
  );
}
