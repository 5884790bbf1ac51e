// What an API token may do, in words, and as it is asked for.
import type { ApiToken, NewApiTokenRequest } from './types';

export type Power = 'read' | 'write' | 'all';
export const powers: [Power, string, string][] = [
  ['read', 'Look only', 'Lists, states, logs and files. It changes, starts and opens nothing.'],
  ['write', 'Look, change, start and open', 'All but your account, its tokens and sessions, and administration.'],
  ['all', 'Everything that you may', 'Your account and administration too.'],
];

/** A token for one workspace never does more than `write`: the server reads "everything" so, and the page says it. */
export const powersFor = (workspaceId: string) => powers.filter(([power]) => power !== 'all' || workspaceId === '');

export function tokenRequest(wanted: { name: string; days: number; power: Power; workspaceId: string }, now = Date.now()): NewApiTokenRequest {
  const power = wanted.power === 'all' && wanted.workspaceId !== '' ? 'write' : wanted.power;
  return {
    name: wanted.name,
    expiresAt: wanted.days > 0 ? new Date(now + wanted.days * 86_400_000).toISOString() : null,
    scopes: power === 'all' ? null : [power],
    workspaceId: wanted.workspaceId || null,
  };
}

/** "may look only, in Sheets". */
export function scopeWords(token: Pick<ApiToken, 'scopes' | 'workspaceId'>, nameOf: (workspaceId: string) => string | undefined): string {
  const all = token.scopes === null && token.workspaceId === null;
  const may = all ? 'May do everything' : token.scopes === null || token.scopes.includes('write') ? 'May look and change' : 'May look only';
  if (token.workspaceId === null) return may;
  const name = nameOf(token.workspaceId);
  return name === undefined ? `${may}, in a workspace that is gone` : `${may}, in ${name} alone`;
}
