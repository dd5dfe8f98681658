import { Button, Tooltip } from '@fluentui/react-components';
import { ArrowDownload20Regular } from '@fluentui/react-icons';
import { useMutation } from '@tanstack/react-query';
import { downloadCsv } from '../../api/downloadCsv';
import { messageOf } from '../../api/problem';
import type { ChangeFilters } from '../../api/queries';
import { changesKql } from '../../domain/kql';

type Props = { ws: string; range: string; filters: ChangeFilters; isEmpty: boolean };

/** Downloads the whole list, not only what is loaded: the server answers the same filters as a query. */
export function ExportButton({ ws, range, filters, isEmpty }: Props) {
  const download = useMutation({
    mutationFn: () => downloadCsv(ws, changesKql(range, filters), `changes-${ws}.csv`),
  });
  const hint = download.error ? messageOf(download.error) : 'Download all changes that match';
  return (
    <Tooltip content={hint} relationship="description">
      <Button
        className="wide-only"
        icon={<ArrowDownload20Regular />}
        disabled={isEmpty || download.isPending}
        onClick={() => download.mutate()}
      >
        {download.error ? 'Export failed' : 'Export CSV'}
      </Button>
    </Tooltip>
  );
}
