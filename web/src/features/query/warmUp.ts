import type { QueryClient } from '@tanstack/react-query';
import { capabilitiesQuery, querySchemaQuery } from '../../api/queries';
import { language } from './kql/languageClient';

/** Wakes the editor and the language service, which takes seconds, while somebody only points at the page's link. */
export async function warmUp(queryClient: QueryClient): Promise<void> {
  const editor = import('./kql/KqlEditor');
  const [schema, support] = await Promise.all([
    queryClient.ensureQueryData(querySchemaQuery),
    queryClient.ensureQueryData(capabilitiesQuery),
  ]);
  await Promise.all([editor, language.start({ tables: schema.tables, support })]);
}
