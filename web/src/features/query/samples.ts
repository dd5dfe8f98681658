/** Questions that people start from; the first two are those of the published documentation. */
export const SAMPLES = [
  {
    name: 'Changes by machine and type',
    query: [
      'ConfigurationChange',
      '| where TimeGenerated > ago(14d)',
      "| where ConfigChangeType in ('Registry', 'Files')",
      '| summarize count() by Computer, ConfigChangeType',
    ].join('\n'),
  },
  {
    name: 'Registry changes',
    query: [
      'ConfigurationChange',
      '| where TimeGenerated > ago(14d)',
      "| where ConfigChangeType in ('Registry')",
      '| order by Computer, RegistryKey',
    ].join('\n'),
  },
  {
    name: 'File changes, newest first',
    query: [
      'ConfigurationChange',
      '| where TimeGenerated > ago(7d)',
      "| where ConfigChangeType == 'Files'",
      '| project TimeGenerated, Computer, ChangeCategory, FileSystemPath, FieldsChanged, ChangeId',
      '| order by TimeGenerated desc',
    ].join('\n'),
  },
  {
    name: 'Changes over time, as a chart',
    query: [
      'ConfigurationChange',
      '| where TimeGenerated > ago(7d)',
      '| summarize count() by bin(TimeGenerated, 6h), ChangeCategory',
      '| render timechart',
    ].join('\n'),
  },
  {
    name: 'Most changed files',
    query: [
      'ConfigurationChange',
      '| where TimeGenerated > ago(7d)',
      '| summarize Changes = count(), Last = max(TimeGenerated) by FileSystemPath',
      '| top 20 by Changes',
    ].join('\n'),
  },
  {
    name: 'What was not watched',
    query: ['Coverage', '| where TimeGenerated > ago(7d)', '| order by StartTime desc'].join('\n'),
  },
] as const;
