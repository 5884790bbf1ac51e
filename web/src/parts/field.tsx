import { useId, type ComponentProps, type ReactNode } from 'react';

const box = 'w-full rounded-lg border border-edge bg-surface px-3 min-h-9 text-text disabled:bg-raised disabled:text-muted aria-[invalid=true]:border-bad';

interface Around {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
  hideLabel?: boolean;
}

function Labelled({ id, label, hint, problem, hideLabel = false, children }: Around & { id: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className={hideLabel ? 'sr-only' : 'mb-1 block text-sm font-medium'}>{label}</label>
      {children}
      {hint && <p id={`${id}-hint`} className="mt-1 text-[0.8125rem] text-muted">{hint}</p>}
      {problem && <p id={`${id}-problem`} className="mt-1 text-[0.8125rem] text-bad">{problem}</p>}
    </div>
  );
}
const described = (id: string, { hint, problem }: Around) =>
  ({ 'aria-describedby': [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(' ') || undefined, 'aria-invalid': problem ? true : undefined });

export function TextField({ label, hint, problem, hideLabel, className = '', ...more }: Around & ComponentProps<'input'>) {
  const id = useId();
  const around = { label, hint, problem, ...(hideLabel === undefined ? {} : { hideLabel }) };
  return (
    <Labelled id={id} {...around}>
      <input id={id} className={`${box} ${className}`} {...described(id, around)} {...more} />
    </Labelled>
  );
}

export function TextArea({ label, hint, problem, hideLabel, className = '', ...more }: Around & ComponentProps<'textarea'>) {
  const id = useId();
  const around = { label, hint, problem, ...(hideLabel === undefined ? {} : { hideLabel }) };
  return (
    <Labelled id={id} {...around}>
      <textarea id={id} rows={3} className={`${box} py-2 ${className}`} {...described(id, around)} {...more} />
    </Labelled>
  );
}

export function SelectField({ label, hint, problem, hideLabel, className = '', children, ...more }: Around & ComponentProps<'select'>) {
  const id = useId();
  const around = { label, hint, problem, ...(hideLabel === undefined ? {} : { hideLabel }) };
  return (
    <Labelled id={id} {...around}>
      <select id={id} className={`${box} ${className}`} {...described(id, around)} {...more}>{children}</select>
    </Labelled>
  );
}

export function CheckField({ label, hint, ...more }: { label: string; hint?: ReactNode } & Omit<ComponentProps<'input'>, 'type'>) {
  const id = useId();
  return (
    <div className="flex gap-2.5">
      <input id={id} type="checkbox" className="mt-1 size-4 shrink-0 accent-[var(--accent)]" aria-describedby={hint ? `${id}-hint` : undefined} {...more} />
      <div className="min-w-0">
        <label htmlFor={id} className="text-sm font-medium">{label}</label>
        {hint && <p id={`${id}-hint`} className="text-[0.8125rem] text-muted">{hint}</p>}
      </div>
    </div>
  );
}
