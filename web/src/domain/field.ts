/** Published column names are long; these say the same to a person. */
const WORDS: Record<string, string> = {
  FileSystemPath: 'Path',
  FileContentChecksum: 'Content',
  DateModified: 'Modified time',
  DateStatusChanged: 'Status time',
  DateCreated: 'Created time',
  Acls: 'ACL',
  Xattrs: 'Extended attributes',
};

/** Which fields of an entity differ, as a list in words; empty if it is not known or was not asked. */
export function fieldsInWords(fields: readonly string[]): string {
  return fields.map((field) => WORDS[field] ?? field).join(', ');
}
