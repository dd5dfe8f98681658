/**
 * What the user sees lives in the URL. Every parameter is plain text, so that a link stays readable and nothing is
 * quoted or turned into a number on the way.
 */

import { z } from 'zod';
import { DEFAULT_RANGE, normaliseRange } from '../ui/timeRange';

export function parseSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  }
  // Characters that a query string may carry as they are, so that paths and moments stay readable.
  const text = params.toString().replace(/%2F/g, '/').replace(/%3A/g, ':');
  return text ? `?${text}` : '';
}

const text = z.string().optional().catch(undefined);

/** As many characters as the fields take that search: what is searched for is part of an address, which has to end. */
export const LONGEST_SEARCH = 1000;

export const TABS = ['servers', 'changes', 'coverage'] as const;
export type OverviewTab = (typeof TABS)[number];

export const OVERVIEW_DEFAULTS = { range: DEFAULT_RANGE, tab: 'servers' as OverviewTab };

export const overviewSearch = z.object({
  range: z.string().transform(normaliseRange).catch(DEFAULT_RANGE).default(DEFAULT_RANGE),
  tab: z.enum(TABS).catch('servers').default('servers'),
  q: text,
  type: text,
  category: z.enum(['Modified', 'Added', 'Removed']).optional().catch(undefined),
  machine: text,
  change: text,
  gap: text,
});
export type OverviewSearch = z.infer<typeof overviewSearch>;

export const querySearch = z.object({ q: text, change: text });

export const loginSearch = z.object({ next: text });

/** Where to go after signing in: only ever a place inside this page. */
export function safeNext(next: string | undefined): string {
  return next?.startsWith('/') && !next.startsWith('//') && !next.startsWith('/\\') ? next : '/workspaces';
}
