import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

import { requestOf, sentenceOf } from '@/base/outcomes';

import { Button } from './button';

const kinds = {
  bad: { icon: CircleAlert, look: 'bg-bad-soft text-bad' },
  warn: { icon: TriangleAlert, look: 'bg-warn-soft text-warn' },
  good: { icon: CircleCheck, look: 'bg-good-soft text-good' },
  info: { icon: Info, look: 'bg-accent-soft text-accent' },
};

/** Something to know, where it belongs. A bad one is read out as it comes. */
export function Notice({ kind, requestId, className = '', children }: { kind: keyof typeof kinds; requestId?: string | undefined; className?: string; children: ReactNode }) {
  const { icon: Icon, look } = kinds[kind];
  return (
    <div role={kind === 'bad' ? 'alert' : undefined} className={`flex gap-2.5 rounded-xl px-3.5 py-2.5 text-sm ${look} ${className}`}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 wrap-anywhere text-text">
        {children}
        {requestId && <small className="block text-xs text-muted">Request {requestId}</small>}
      </div>
    </div>
  );
}

/** In place of what could not be read. */
export function Failed({ what, problem, again }: { what: string; problem: unknown; again?: () => unknown }) {
  return (
    <Notice kind="bad" requestId={requestOf(problem)}>
      <p>{what} could not be read: {sentenceOf(problem)}</p>
      {again && <Button size="small" className="mt-2" onClick={() => void again()}>Try again</Button>}
    </Notice>
  );
}
