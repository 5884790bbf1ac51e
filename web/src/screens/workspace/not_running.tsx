import { Play, Power } from 'lucide-react';

import { ask } from '@/data/changes';
import { isBusy, phaseNames, type Seen } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { Empty } from '@/parts/page';

/** In place of what only a running workspace has. */
export function NotRunning({ seen, what }: { seen: Seen; what: string }) {
  const busy = isBusy(seen.phase);
  return (
    <Empty icon={Power} title={busy ? `${phaseNames[seen.phase]}…` : 'It is not running.'} action={!busy && <Button look="primary" icon={Play} onClick={() => void ask('start', seen.workspace)}>Start</Button>}>
      {what}
    </Empty>
  );
}
