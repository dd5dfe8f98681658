import {
  Apps16Regular,
  Document16Regular,
  Folder16Regular,
  HardDrive16Regular,
  Key16Regular,
  Link16Regular,
  PlugConnected16Regular,
  Settings16Regular,
} from '@fluentui/react-icons';
import type { Change, ChangeType, FileKind } from '../api/types';
import { KIND_NOUN, TYPE_NOUN } from './category';

const ICON: Record<ChangeType, typeof Document16Regular> = {
  Files: Document16Regular,
  Registry: Key16Regular,
  WindowsServices: Settings16Regular,
  Daemons: Settings16Regular,
  Software: Apps16Regular,
};

const KIND_ICON: Record<FileKind, typeof Document16Regular> = {
  File: Document16Regular,
  Directory: Folder16Regular,
  Symlink: Link16Regular,
  BlockDevice: HardDrive16Regular,
  CharDevice: HardDrive16Regular,
  Fifo: PlugConnected16Regular,
  Socket: PlugConnected16Regular,
};

/** What changed: of what has a path, what is or was there. */
export function TypeTag({ change: { type, kind } }: { change: Pick<Change, 'type' | 'kind'> }) {
  const Icon = kind ? KIND_ICON[kind] : ICON[type];
  return (
    <span className="type-tag">
      <Icon aria-hidden />
      {kind ? KIND_NOUN[kind] : TYPE_NOUN[type]}
    </span>
  );
}
