import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from '@fluentui/react-components';
import { ArrowDownload20Regular } from '@fluentui/react-icons';
import { useMutation } from '@tanstack/react-query';
import { downloadRows, FILE_FORMATS, type FileFormat } from '../api/downloadRows';
import { messageOf } from '../api/problem';

type Props = {
  ws: string;
  /** Whose rows are written; nothing can be exported without one. */
  query: string | undefined;
  /** The file's name without its ending. */
  name: string;
  isEmpty: boolean;
  size?: 'small' | 'medium';
};

/** Saves all the rows of a query, not only those that are shown, as a file of the kind that is chosen. */
export function ExportMenu({ ws, query, name, isEmpty, size = 'medium' }: Props) {
  const download = useMutation({
    mutationFn: (format: FileFormat) => downloadRows(ws, query ?? '', format, name),
  });
  return (
    <>
      <span className="export-note small" role="status">
        {download.error && <span className="bad">Export failed: {messageOf(download.error)}</span>}
        {download.data?.isCut && 'The file was cut at the server’s limit: there are more rows.'}
      </span>
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Button
            size={size}
            icon={<ArrowDownload20Regular />}
            disabled={isEmpty || query === undefined || download.isPending}
          >
            {download.isPending ? 'Exporting…' : 'Export'}
          </Button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            {FILE_FORMATS.map(({ format, label }) => (
              <MenuItem key={format} onClick={() => download.mutate(format)}>
                {label}
              </MenuItem>
            ))}
          </MenuList>
        </MenuPopover>
      </Menu>
    </>
  );
}
