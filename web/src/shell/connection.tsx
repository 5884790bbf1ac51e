import { CloudOff } from 'lucide-react';
import { useSyncExternalStore } from 'react';

import { isReachable, subscribe } from '@/base/session';
import { useStore } from '@/base/store';
import { live } from '@/data/live';

/** Says that the server does not answer, for as long as that is so; above all else, so that nothing moves. */
export function Connection() {
  const reachable = useSyncExternalStore(subscribe, isReachable);
  const stream = useStore(live);
  const lost = !reachable || stream === 'lost';
  return (
    <div role="status" className="pointer-events-none fixed inset-x-0 top-2 z-[70] flex justify-center px-4">
      {lost && (
        <p className="flex items-center gap-2 rounded-full border border-warn/40 bg-warn-soft px-4 py-1.5 text-sm font-medium text-warn shadow-float">
          <CloudOff aria-hidden className="size-4" />
          The server does not answer. Trying again…
        </p>
      )}
    </div>
  );
}
