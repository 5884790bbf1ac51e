import { isBusy, phaseNames, type Seen } from '@/data/workspaces';

import { Elapsed } from './time';

const kinds = { running: 'bg-good-soft text-good', failed: 'bg-bad-soft text-bad', stopped: 'bg-raised text-muted', busy: 'bg-accent-soft text-accent' };

/** What a workspace does, in a pill; what is under way with how far it is and how long it has taken. */
export function StatusPill({ seen }: { seen: Seen }) {
  const { phase, progress, queue, since } = seen;
  const busy = isBusy(phase);
  const look = busy ? kinds.busy : kinds[phase as 'running' | 'failed' | 'stopped'];
  return (
    <span data-state={busy ? 'busy' : phase} className={`inline-flex max-w-full items-center gap-1.5 rounded-full px-2.5 py-0.5 text-[0.8125rem] font-medium ${look}`}>
      <span aria-hidden className={`size-1.5 shrink-0 rounded-full bg-current ${busy ? 'animate-dot' : ''}`} />
      <span className="truncate">
        {phaseNames[phase]}
        {progress !== undefined && ` ${progress} %`}
        {queue && ` (${queue.position} of ${queue.of})`}
      </span>
      {since !== undefined && <span className="shrink-0 font-normal"><Elapsed since={since} /></span>}
    </span>
  );
}

/** Keeps its place when nothing is under way, so that nothing moves. */
export function ProgressBar({ seen, className = '' }: { seen: Seen; className?: string }) {
  const busy = isBusy(seen.phase);
  return (
    <div className={`h-0.5 overflow-hidden ${className}`}>
      {busy && (
        <div role="progressbar" aria-label={`${seen.workspace.name}: ${phaseNames[seen.phase]}`} aria-valuenow={seen.progress} aria-valuemin={0} aria-valuemax={100} className="h-full overflow-hidden bg-accent-soft">
          {seen.progress === undefined ? <div className="h-full w-1/3 bg-accent animate-slide" /> : <div className="h-full bg-accent transition-[width]" style={{ width: `${seen.progress}%` }} />}
        </div>
      )}
    </div>
  );
}
