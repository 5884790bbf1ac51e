import { useState, type FormEvent, type ReactNode } from 'react';

import { requestOf, sentenceOf } from '@/base/outcomes';

import { useDialog, useKept } from './dialog';
import { Notice } from './notice';

/** A form: what is missing is said before anything is sent; never sent twice at once; its problem told in it. A dialog around it stays open meanwhile. */
export function Form({ act, children, className = 'grid grid-cols-1 gap-4' }: { act: (fields: FormData, form: HTMLFormElement) => Promise<unknown>; children: (busy: boolean) => ReactNode; className?: string }) {
  const dialog = useDialog();
  useKept('nothing');
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    event.stopPropagation();
    if (busy) return;
    const form = event.currentTarget;
    const empty = [...form.elements].find((each): each is HTMLInputElement => each instanceof HTMLInputElement && isMissing(each));
    setProblem(undefined);
    setMissing(empty ? `${empty.labels?.[0]?.textContent ?? 'Something'} is missing.` : '');
    if (empty) return empty.focus();
    setBusy(true);
    dialog?.setBusy(true);
    try {
      await act(new FormData(form), form);
    } catch (refused) {
      setProblem(refused);
    } finally {
      setBusy(false);
      dialog?.setBusy(false);
    }
  };
  const typed = () => {
    if (dialog) dialog.keeps.current = 'typed';
  };
  return (
    <form noValidate className={className} onSubmit={submit} onInput={typed} aria-busy={busy || undefined}>
      {children(busy)}
      {missing && <Notice kind="bad">{missing}</Notice>}
      {problem !== undefined && <Notice kind="bad" requestId={requestOf(problem)}>{sentenceOf(problem)}</Notice>}
    </form>
  );
}

/** Spaces alone say nothing, except in a password. */
export const isMissing = ({ required, type, value }: { required: boolean; type: string; value: string }) => required && (type === 'password' ? value : value.trim()) === '';

/** A field's text without the spaces around it; nothing where it is empty. */
export const textOf = (fields: FormData, name: string) => String(fields.get(name) ?? '').trim() || null;
