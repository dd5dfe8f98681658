import { describe, expect, test } from 'vitest';
import { draftOf, isSameDraft, NEW_RULE, pathAdvice, ruleOf } from './draft';

describe('a rule being written', () => {
  test('comes back as it was', () => {
    const rule = ruleOf({
      ...NEW_RULE,
      name: 'web',
      path: '/srv/www/**',
      exclude: '*.log\ncache',
      recurse: true,
      type: 'windows-file',
    });
    expect(ruleOf(draftOf(rule))).toEqual(rule);
    expect(rule.type).toBe('windows-file');
    expect(rule.exclude).toEqual(['*.log', 'cache']);
  });

  test('loses empty lines and spaces around patterns', () => {
    expect(ruleOf({ ...NEW_RULE, name: ' a ', path: ' /etc ', exclude: '\n a b \n\n' })).toMatchObject({
      name: 'a',
      path: '/etc',
      exclude: ['a b'],
    });
  });

  test('is another one as soon as something that counts was typed', () => {
    expect(isSameDraft(NEW_RULE, { ...NEW_RULE, name: ' ' })).toBe(true);
    expect(isSameDraft(NEW_RULE, { ...NEW_RULE, name: 'web' })).toBe(false);
    expect(isSameDraft(NEW_RULE, { ...NEW_RULE, recurse: true })).toBe(false);
  });

  test('is warned of paths that are too general or never quiet', () => {
    expect(pathAdvice('etc', 'linux-file')?.tone).toBe('error');
    for (const path of ['/', '/*', '/**', '/*/*', '/proc', '/var/log/*.log']) {
      expect(pathAdvice(path, 'linux-file')?.tone).toBe('warning');
    }
    for (const path of ['', '/etc/*.conf', '/procedures', '/srv/**']) {
      expect(pathAdvice(path, 'linux-file')).toBeUndefined();
    }
  });

  test('of a Windows machine is judged by how that spells paths', () => {
    for (const path of ['/etc', 'Windows\\win.ini', '%broken\\x']) {
      expect(pathAdvice(path, 'windows-file')?.tone).toBe('error');
    }
    for (const path of ['c:\\*.*', 'D:', 'C:\\**', 'C:\\Windows\\Temp\\*']) {
      expect(pathAdvice(path, 'windows-file')?.tone).toBe('warning');
    }
    expect(pathAdvice('SOFTWARE\\Vendor', 'registry')?.tone).toBe('error');
    expect(pathAdvice('HKLM\\', 'registry')?.tone).toBe('warning');
    expect(pathAdvice('hklm\\SOFTWARE\\Vendor', 'registry')).toBeUndefined();
    for (const path of ['C:\\Windows\\win.ini', '%WinDir%\\System32\\*.*', '\\\\server\\share\\x', '']) {
      expect(pathAdvice(path, 'windows-file')).toBeUndefined();
    }
  });
});
