import { RefreshCw } from 'lucide-react';

import { Button } from './button';

/** For what no event tells of: it is asked for anew. */
export function Refresh({ of, small = false }: { of: { isFetching: boolean; refetch: () => unknown }; small?: boolean }) {
  return <Button icon={RefreshCw} size={small ? 'small' : 'normal'} busy={of.isFetching} onClick={() => void of.refetch()}>Refresh</Button>;
}
