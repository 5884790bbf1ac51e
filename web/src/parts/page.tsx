// What every screen is made of: its title, its cards, and what it shows while there is nothing.
import type { LucideIcon } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';

/** A screen's title. It takes the focus when the screen comes, so that a screen reader says where one is. */
export function Title({ children, actions, above, below }: { children: string; actions?: ReactNode; above?: ReactNode; below?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = children === 'Workspaces' ? 'AgentDB9 Workspaces' : `${children} · AgentDB9`;
  }, [children]);
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement === null) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className="mb-5 flex flex-wrap items-center gap-x-4 gap-y-3">
      <div className="min-w-0 grow">
        {above}
        <h1 ref={heading} tabIndex={-1} className="text-[1.625rem] leading-tight font-semibold tracking-tight">{children}</h1>
        {below}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  );
}

export function Card({ title, actions, hint, className = '', children, danger = false }: { title?: string; actions?: ReactNode; hint?: ReactNode; className?: string; children?: ReactNode; danger?: boolean }) {
  return (
    <section aria-label={title} className={`rounded-2xl border bg-surface shadow-card ${danger ? 'border-bad/40' : 'border-line'} ${className}`}>
      {title && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-5 pt-4">
          <div className="min-w-0 grow">
            <h2 className="font-semibold">{title}</h2>
            {hint && <p className="text-sm text-muted">{hint}</p>}
          </div>
          {actions}
        </div>
      )}
      <div className="px-5 py-4">{children}</div>
    </section>
  );
}

export function Empty({ icon: Icon, title, children, action }: { icon: LucideIcon; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center rounded-2xl border border-dashed border-edge/60 px-6 py-12 text-center">
      <span className="mb-3 flex size-12 items-center justify-center rounded-2xl bg-accent-soft text-accent">
        <Icon aria-hidden className="size-6" />
      </span>
      <p className="font-semibold">{title}</p>
      {children && <div className="mt-1 max-w-prose text-sm text-muted">{children}</div>}
      {action && <div className="mt-4">{action}</div>}
    </div>
  );
}

/** Where something will be, as high as that. */
export function Skeleton({ className = 'h-24', count = 1, label = 'Loading' }: { className?: string; count?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} className="contents">
      {Array.from({ length: count }, (_, index) => <div key={index} className={`animate-pulse rounded-2xl bg-raised ${className}`} />)}
    </div>
  );
}

export const Badge = ({ children, kind = 'plain' }: { children: ReactNode; kind?: 'plain' | 'accent' | 'good' | 'warn' | 'bad' }) => (
  <span className={`inline-flex items-center rounded-full px-2 py-px text-xs font-medium ${{ plain: 'bg-raised text-muted', accent: 'bg-accent-soft text-accent', good: 'bg-good-soft text-good', warn: 'bg-warn-soft text-warn', bad: 'bg-bad-soft text-bad' }[kind]}`}>
    {children}
  </span>
);
