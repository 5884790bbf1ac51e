import { useEffect, useState } from 'react';

import { ago, elapsed, exactMoment } from '@/base/format';

/** Now, anew each `every` milliseconds while somebody looks. */
export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

export function Ago({ time }: { time: string }) {
  const now = useNow(30_000);
  return <time dateTime={time} title={exactMoment(time)}>{ago(time, now)}</time>;
}

export function Elapsed({ since }: { since: number }) {
  const now = useNow(1_000);
  return <span className="tabular">{elapsed(now - since)}</span>;
}
