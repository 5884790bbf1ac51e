import { Play, Power } from 'lucide-react';

import { ask } from '@/data/changes';
import { isBusy, phaseNames, type Seen } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { Empty } from '@/parts/page';

/** In place of what only a running workspace has. Its button stays while it starts, and the focus with it. */
export function NotRunning({ seen, what }: { seen: Seen; what: string }) {
  const busy = isBusy(seen.phase);
  return (
    <Empty icon={Power} title={busy ? `${phaseNames[seen.phase]}…` : 'It is not running.'} action={<Button look="primary" icon={Play} off={busy} onClick={() => void ask('start', seen.workspace)}>Start</Button>}>
      {what}
    </Empty>
  );
}
