import { bytes, percent } from '@/base/format';
import type { ContainerStats } from '@/data/types';

import { Sparkline } from './sparkline';

/** A workspace's processor and memory, each as a line with its number. Always as high, whether there is something or not. */
export function UsageLines({ samples }: { samples: readonly ContainerStats[] }) {
  const last = samples.at(-1);
  const lines = [
    { name: 'CPU', value: last && percent(last.cpu.percent), values: samples.map((each) => each.cpu.percent), most: Math.max(10, ...samples.map((each) => each.cpu.percent)) },
    { name: 'Memory', value: last && bytes(last.memory.usedBytes), values: samples.map((each) => each.memory.usedBytes), most: last?.memory.limitBytes || Math.max(1, ...samples.map((each) => each.memory.usedBytes * 1.5)) },
  ];
  return (
    <div className="grid grid-cols-2 gap-4">
      {lines.map(({ name, value, values, most }) => (
        <div key={name} className="min-w-0">
          <div className="flex items-baseline justify-between gap-2 text-xs">
            <span className="text-muted">{name}</span>
            <span className="tabular font-medium">{value ?? '–'}</span>
          </div>
          <Sparkline values={values} most={most} text={value ? `${name}: ${value} now` : `${name}: not measured yet`} className="h-7 w-full" />
        </div>
      ))}
    </div>
  );
}
