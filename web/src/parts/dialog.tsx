import { X } from 'lucide-react';
import { AlertDialog, Dialog as Radix } from 'radix-ui';
import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from 'react';

import { giveFocusBack } from '@/base/focus';
import { requestOf, sentenceOf } from '@/base/outcomes';
import { Store, useStore } from '@/base/store';

import { Button, IconButton } from './button';
import { Notice } from './notice';

const backdrop = 'fixed inset-0 bg-[rgb(10_14_22/0.5)] animate-appear';
const panel =
  'fixed z-50 left-1/2 top-1/2 -translate-x-1/2 -translate-y-1/2 w-[calc(100vw-1.5rem)] max-h-[calc(100dvh-1.5rem)] overflow-y-auto rounded-2xl border border-line bg-surface shadow-float animate-appear';

// Instead of the library’s own way back, to a trigger: what opens a dialog here is a menu’s entry as often as a button.
const back = (event: Event) => {
  event.preventDefault();
  giveFocusBack();
};

/** What is in a dialog says what would be lost if it closed. */
interface Around {
  close: () => void;
  busy: boolean;
  setBusy: (busy: boolean) => void;
  /** Of what Escape would take: nothing, what was typed (it asks first), or what is shown once (it does nothing). */
  keeps: { current: 'nothing' | 'typed' | 'secret' };
}
const DialogContext = createContext<Around | undefined>(undefined);
export const useDialog = () => useContext(DialogContext);

/** A click beside it never closes it, and nothing does while what it asked for is under way: how that ends is told in it. */
export function Dialog({ open, onClose, title, description, wide = false, children }: {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: string;
  wide?: boolean;
  children: ReactNode;
}) {
  const [busy, setBusy] = useState(false);
  const keeps = useRef<Around['keeps']['current']>('nothing');
  const close = () => !busy && onClose();
  const escape = (event: KeyboardEvent) => {
    const standing = question.get();
    if (!standing && !busy && keeps.current === 'nothing') return;
    event.preventDefault();
    // A question that has just come hears keys a moment later only: until then they are heard here.
    if (standing) refuse(standing.id);
    else if (!busy && keeps.current === 'typed') confirm({ title: 'Discard what you typed?', text: 'Nothing of it has been sent.', verb: 'Discard', otherwise: 'Keep it', act: onClose });
  };
  return (
    <Radix.Root open={open} onOpenChange={(now) => !now && close()}>
      <Radix.Portal>
        <Radix.Overlay className={`${backdrop} z-40`} />
        <Radix.Content
          className={`${panel} ${wide ? 'max-w-3xl' : 'max-w-lg'}`}
          onInteractOutside={(event) => event.preventDefault()}
          onEscapeKeyDown={escape}
          onCloseAutoFocus={back}
          {...(description ? {} : { 'aria-describedby': undefined })}
        >
          <div className="sticky top-0 z-10 flex items-start gap-4 border-b border-line bg-surface px-5 pt-4 pb-3">
            <div className="min-w-0 grow">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description && <Radix.Description className="text-sm text-muted">{description}</Radix.Description>}
            </div>
            <IconButton label="Close" icon={X} off={busy} className="-mr-2 -mt-1" onClick={close} />
          </div>
          <div className="px-5 py-4">
            <DialogContext value={{ close, busy, setBusy, keeps }}>{children}</DialogContext>
          </div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Something in a dialog, a secret or a form, says what Escape would take for as long as it is there. */
export function useKept(what: 'nothing' | 'secret') {
  const keeps = useDialog()?.keeps;
  useEffect(() => {
    if (!keeps) return undefined;
    keeps.current = what;
    return () => void (keeps.current = 'nothing');
  }, [keeps, what]);
}

export const DialogEnd = ({ children }: { children: ReactNode }) => <div className="mt-5 flex flex-wrap justify-end gap-2">{children}</div>;

/** The way out of a dialog’s form without doing anything. */
export function Cancel() {
  const around = useDialog();
  return <Button off={around?.busy ?? false} onClick={() => around?.close()}>Cancel</Button>;
}

interface Asked {
  title: string;
  text: ReactNode;
  verb: string;
  danger?: boolean;
  /** In place of "Cancel". */
  otherwise?: string;
  /** Done while the question still stands: its problem is told in it. */
  act: () => Promise<unknown> | void;
}
interface Question extends Asked {
  id: number;
}
export const question = new Store<Question | undefined>(undefined);
let last = 0;

/** Asks first. What `act` fails with is told in the question itself. */
export const confirm = (asked: Asked) => question.set({ ...asked, id: ++last });
/** The session is over: its question is nobody’s. */
export const askNothing = () => question.set(undefined);
// The question that is agreed to, while what it asks for is under way: nothing closes it.
let agreed: number | undefined;
const refuse = (id: number) => id !== agreed && answered(id);
/** It is answered. Another one that stands by now stays. */
export const answered = (id: number) => question.set((now) => (now?.id === id ? undefined : now));

export function ConfirmHost() {
  const asked = useStore(question);
  return asked ? <Confirm key={asked.id} {...asked} /> : null;
}

function Confirm({ id, title, text, verb, danger = true, otherwise = 'Cancel', act }: Question) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const agree = async () => {
    setBusy(true);
    setProblem(undefined);
    agreed = id;
    try {
      await act();
      answered(id);
    } catch (refused) {
      setProblem(refused);
      setBusy(false);
    } finally {
      if (agreed === id) agreed = undefined;
    }
  };
  return (
    <AlertDialog.Root open onOpenChange={(now) => !now && refuse(id)}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={`${backdrop} z-50`} />
        <AlertDialog.Content className={`${panel} max-w-md p-5`} onCloseAutoFocus={back}>
          <AlertDialog.Title className="text-lg font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="mt-2 text-muted">{text}</div>
          </AlertDialog.Description>
          {problem !== undefined && <Notice kind="bad" className="mt-3" requestId={requestOf(problem)}>{sentenceOf(problem)}</Notice>}
          <DialogEnd>
            <AlertDialog.Cancel asChild>
              <Button off={busy}>{otherwise}</Button>
            </AlertDialog.Cancel>
            <Button look={danger ? 'danger' : 'primary'} busy={busy} onClick={agree}>{verb}</Button>
          </DialogEnd>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
