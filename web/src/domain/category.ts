import type { ChangeCategory, ChangeType, FileKind } from '../api/types';

export const CATEGORIES = ['Modified', 'Added', 'Removed'] as const satisfies readonly ChangeCategory[];

export const CATEGORY_COLOR: Record<ChangeCategory, string> = {
  Modified: '--c-modified',
  Added: '--c-added',
  Removed: '--c-removed',
};

export const CHANGE_TYPES = [
  'Files',
  'Registry',
  'WindowsServices',
  'Daemons',
  'Software',
] as const satisfies readonly ChangeType[];

export const TYPE_COLOR: Record<ChangeType, string> = {
  Files: '--c-files',
  Registry: '--c-registry',
  WindowsServices: '--c-services',
  Daemons: '--c-services',
  Software: '--c-software',
};

/** What one entity of the type is called. */
export const TYPE_NOUN: Record<ChangeType, string> = {
  Files: 'File',
  Registry: 'Registry',
  WindowsServices: 'Service',
  Daemons: 'Daemon',
  Software: 'Software',
};

/** What one thing at a path is called. */
export const KIND_NOUN: Record<FileKind, string> = {
  File: 'File',
  Directory: 'Folder',
  Symlink: 'Link',
  BlockDevice: 'Block device',
  CharDevice: 'Char device',
  Fifo: 'Pipe',
  Socket: 'Socket',
};

export function isCategory(word: string | undefined): word is ChangeCategory {
  return CATEGORIES.some((category) => category === word);
}

export function isChangeType(word: string | undefined): word is ChangeType {
  return CHANGE_TYPES.some((type) => type === word);
}
