// Where one is signed in. No event tells of it: it is read anew when somebody comes back to the tab.
import { useQuery } from '@tanstack/react-query';

import { call } from '@/base/session';

import { keys, queryClient, untold } from './client';
import type { Session } from './types';

export const useSessions = () =>
  useQuery({ queryKey: keys.sessions, queryFn: () => call<{ data: Session[] }>('/api/auth/sessions').then((answer) => answer.data), ...untold });

const anew = () => void queryClient.invalidateQueries({ queryKey: keys.sessions });
export const endSession = (id: string) => call(`/api/auth/sessions/${id}`, { method: 'DELETE' }).finally(anew);
/** How many there were. */
export const endOtherSessions = () => call<{ data: { ended: number } }>('/api/auth/sessions', { method: 'DELETE' }).then((answer) => answer.data.ended).finally(anew);

const browsers: [RegExp, string][] = [[/\bEdgA?\//, 'Edge'], [/\bOPR\//, 'Opera'], [/\bFirefox\/|\bFxiOS\//, 'Firefox'], [/\bHeadlessChrome\//, 'Chrome without a window'], [/\bChrom(e|ium)\/|\bCriOS\//, 'Chrome'], [/\bSafari\//, 'Safari'], [/^curl\//, 'curl'], [/^agentdb9\//, 'The agentdb9 command']];
// Telephones first: they name the systems that they descend from.
const systems: [RegExp, string][] = [[/\bAndroid\b/, 'Android'], [/\b(iPhone|iPad)\b/, 'iOS'], [/\bWindows\b/, 'Windows'], [/\bCrOS\b/, 'ChromeOS'], [/\bMacintosh\b/, 'macOS'], [/\bLinux\b/, 'Linux']];

/** "Firefox on Linux": what a program says of itself, for people. What nobody knows is shown as it is. */
export function deviceOf(userAgent: string): string {
  const find = (all: [RegExp, string][]) => all.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = find(browsers);
  const system = find(systems);
  if (!browser) return userAgent.trim() === '' ? 'A program that does not say what it is' : userAgent.slice(0, 80);
  return system ? `${browser} on ${system}` : browser;
}
