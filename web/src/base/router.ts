// The page's addresses. They are the browser's own (src/api/page_routes.cpp answers them all with the page), so that
// a link can be sent, and "back" goes back.
import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
const tell = () => listeners.forEach((each) => each());
if (typeof window !== 'undefined') window.addEventListener('popstate', tell);

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function navigate(path: string, { replace = false } = {}) {
  if (path === location.pathname + location.search) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  if (!replace) scrollTo(0, 0);
  tell();
}

const path = () => location.pathname;
const search = () => location.search;
export const usePath = () => useSyncExternalStore(subscribe, path, path);
export const useSearch = () => useSyncExternalStore(subscribe, search, search);

export type Params = Record<string, string>;

/** "/workspaces/:id/:part?" against a path: its parameters, or nothing. */
export function matchPath(pattern: string, path: string): Params | undefined {
  const wanted = pattern.split('/').filter(Boolean);
  const given = path.split('/').filter(Boolean);
  const params: Params = {};
  for (const [index, segment] of wanted.entries()) {
    const value = given[index];
    if (!segment.startsWith(':')) {
      if (segment !== value) return undefined;
      continue;
    }
    const name = segment.slice(1).replace(/\?$/, '');
    if (value === undefined) {
      if (segment.endsWith('?')) continue;
      return undefined;
    }
    try {
      params[name] = decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return given.length > wanted.length ? undefined : params;
}

/** Whether a click means "here" rather than a new tab or a download. */
export const isPlainClick = (event: { button: number; metaKey: boolean; ctrlKey: boolean; shiftKey: boolean; altKey: boolean; defaultPrevented: boolean }) =>
  !event.defaultPrevented && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
