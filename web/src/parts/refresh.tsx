import { RefreshCw } from 'lucide-react';

import { tellProblem } from '@/base/outcomes';

import { Button } from './button';
import { useFocusKept } from './focus';

/** What was read stays when it cannot be read anew: whoever asked for that is told, and nothing else changes. */
interface Readable {
  isFetching: boolean;
  refetch: () => Promise<{ isRefetchError: boolean; error: unknown }>;
}
export const readAnew = (of: Readable, what: string) =>
  void of.refetch().then(({ isRefetchError, error }) => isRefetchError && tellProblem(`${what} could not be read anew`, error));

/** For what no event tells of: it is asked for anew. */
export function Refresh({ of, what, small = false }: { of: Readable; what: string; small?: boolean }) {
  return <Button icon={RefreshCw} size={small ? 'small' : 'normal'} busy={of.isFetching} onClick={() => readAnew(of, what)}>Refresh</Button>;
}

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => Promise<{ isFetchNextPageError: boolean; error: unknown }>;
}

/** The next rows of a list that comes page by page. */
export function More({ of, what, children }: { of: Pages; what: string; children: string }) {
  const more = () => void of.fetchNextPage().then(({ isFetchNextPageError, error }) => isFetchNextPageError && tellProblem(`More of ${what} could not be read`, error));
  useFocusKept(of.hasNextPage);
  return of.hasNextPage ? <div><Button busy={of.isFetchingNextPage} onClick={more}>{children}</Button></div> : null;
}
