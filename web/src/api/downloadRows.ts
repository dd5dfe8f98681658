import { Problem } from './problem';
import { sessionHeaders } from './sessionKey';

/** The kinds of files that the server writes rows to; a path of the API ends in each. */
export const FILE_FORMATS = [
  { format: 'csv', label: 'CSV' },
  { format: 'ndjson', label: 'NDJSON' },
  { format: 'parquet', label: 'Parquet' },
  { format: 'arrow', label: 'Arrow' },
] as const;

export type FileFormat = (typeof FILE_FORMATS)[number]['format'];

/** Says whether there were more rows than the server writes. */
const TRUNCATED = 'Steadfast-Truncated';

/** Answers a query as a file that the browser saves. The server writes the file; it may be large. */
export async function downloadRows(
  ws: string,
  query: string,
  format: FileFormat,
  name: string,
): Promise<{ isCut: boolean }> {
  const response = await fetch(`/api/v1/workspaces/${encodeURIComponent(ws)}/query.${format}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...sessionHeaders() },
    body: JSON.stringify({ query }),
  }).catch((error: unknown) => Promise.reject(Problem.unreachable(error)));
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => undefined);
    throw Problem.fromResponse(response, body);
  }
  save(await response.blob(), `${name}.${format}`);
  return { isCut: response.headers.get(TRUNCATED) === 'true' };
}

function save(blob: Blob, fileName: string) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  // The download has its own hold on the data once the click was handled.
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
