import { csrfHeaders } from './client';
import { Problem } from './problem';

/** Answers a query as a CSV file that the browser saves. The server writes the file; it may be large. */
export async function downloadCsv(ws: string, query: string, fileName: string): Promise<void> {
  const response = await fetch(`/api/v1/workspaces/${encodeURIComponent(ws)}/query.csv`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...csrfHeaders() },
    body: JSON.stringify({ query }),
  }).catch((error: unknown) => Promise.reject(Problem.unreachable(error)));
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => undefined);
    throw Problem.fromResponse(response, body);
  }
  save(await response.blob(), fileName);
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
