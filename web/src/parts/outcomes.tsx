import { CircleAlert, CircleCheck, X } from 'lucide-react';

import { dismiss, outcomes, type Outcome } from '@/base/outcomes';
import { useStore } from '@/base/store';

import { IconButton } from './button';

/** At the left, where names are: the buttons of the lists stay free. With `aria-live` they are told, and found, beside a dialog, too. */
export function Outcomes() {
  const all = useStore(outcomes);
  const of = (kind: Outcome['kind']) => all.filter((each) => each.kind === kind).map((each) => <Told key={each.id} {...each} />);
  return (
    <aside aria-label="Outcomes" className="pointer-events-none fixed bottom-4 left-4 z-[60] grid grid-cols-1 w-[min(26rem,calc(100vw-2rem))] gap-2">
      <div role="status" aria-live="polite" className="grid grid-cols-1 gap-2 empty:hidden">{of('news')}</div>
      <div role="alert" aria-live="assertive" className="grid grid-cols-1 gap-2 empty:hidden">{of('problem')}</div>
    </aside>
  );
}

function Told({ id, kind, text, requestId }: Outcome) {
  const Icon = kind === 'news' ? CircleCheck : CircleAlert;
  return (
    <div className="pointer-events-auto flex items-start gap-3 rounded-xl border border-line bg-surface py-2 pr-1.5 pl-3.5 shadow-float animate-rise">
      <Icon aria-hidden className={`mt-2 size-4 shrink-0 ${kind === 'news' ? 'text-good' : 'text-bad'}`} />
      <p className="min-w-0 grow py-1.5 text-sm whitespace-pre-line wrap-anywhere">
        {text}
        {requestId && <small className="mt-0.5 block text-xs text-muted">Request {requestId}</small>}
      </p>
      <IconButton label="Dismiss" icon={X} onClick={() => dismiss(id)} />
    </div>
  );
}
