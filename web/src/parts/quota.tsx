import { bytes, megabytes } from '@/base/format';
import type { Quota } from '@/data/types';

type Name = keyof Quota['limits'];
export const quotaNames: Record<Name, { label: string; show: (value: number) => string }> = {
  workspaces: { label: 'Workspaces', show: String },
  running: { label: 'Running at once', show: String },
  cpus: { label: 'Processor cores', show: (value) => String(Number(value.toFixed(2))) },
  memory: { label: 'Memory', show: megabytes },
  volumeBytes: { label: 'Files', show: bytes },
};
export const quotaOrder = Object.keys(quotaNames) as Name[];

/** How much of each is used, of what there may be. */
export function QuotaBars({ quota }: { quota: Pick<Quota, 'limits' | 'used'> }) {
  return (
    <ul className="grid grid-cols-1 gap-3">
      {quotaOrder.map((name) => {
        const { label, show } = quotaNames[name];
        const limit = quota.limits[name];
        const used = quota.used[name];
        const share = limit && used !== null ? Math.min(1, used / limit) : 0;
        return (
          <li key={name}>
            <div className="flex items-baseline justify-between gap-3 text-sm">
              <span>{label}</span>
              <span className="tabular text-muted">{used === null ? 'not measured' : show(used)}{limit === null ? ', no limit' : ` of ${show(limit)}`}</span>
            </div>
            {limit !== null && (
              <div aria-hidden className="mt-1 h-1.5 overflow-hidden rounded-full bg-raised">
                <div className={`h-full rounded-full ${share >= 1 ? 'bg-bad' : share > 0.8 ? 'bg-warn' : 'bg-accent'}`} style={{ width: `${share * 100}%` }} />
              </div>
            )}
          </li>
        );
      })}
    </ul>
  );
}
