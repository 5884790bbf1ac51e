import { X } from 'lucide-react';
import { AlertDialog, Dialog as Radix } from 'radix-ui';
import { useState, type ReactNode } from 'react';

import { requestOf, sentenceOf } from '@/base/outcomes';
import { Store, useStore } from '@/base/store';

import { Button, IconButton } from './button';
import { Notice } from './notice';

const backdrop = 'fixed inset-0 z-40 bg-[rgb(10_14_22/0.5)] animate-appear';
const panel =
  'fixed z-50 left-1/2 top-1/2 -translate-x-1/2 -translate-y-1/2 w-[calc(100vw-1.5rem)] max-h-[calc(100dvh-1.5rem)] overflow-y-auto rounded-2xl border border-line bg-surface shadow-float animate-appear';

export function Dialog({ open, onClose, title, description, wide = false, children }: {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: string;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <Radix.Root open={open} onOpenChange={(now) => !now && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={backdrop} />
        <Radix.Content className={`${panel} ${wide ? 'max-w-3xl' : 'max-w-lg'}`} {...(description ? {} : { 'aria-describedby': undefined })}>
          <div className="sticky top-0 z-10 flex items-start gap-4 border-b border-line bg-surface px-5 pt-4 pb-3">
            <div className="min-w-0 grow">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description && <Radix.Description className="text-sm text-muted">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close" icon={X} className="-mr-2 -mt-1" />
            </Radix.Close>
          </div>
          <div className="px-5 py-4">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export const DialogEnd = ({ children }: { children: ReactNode }) => <div className="mt-5 flex flex-wrap justify-end gap-2">{children}</div>;

interface Question {
  title: string;
  text: ReactNode;
  verb: string;
  danger?: boolean;
  /** Done while the question still stands: its problem is told in it. */
  act: () => Promise<unknown> | void;
}
const question = new Store<Question | undefined>(undefined);

/** Asks first. What `act` fails with is told in the question itself. */
export const confirm = (asked: Question) => question.set(asked);

export function ConfirmHost() {
  const asked = useStore(question);
  return asked ? <Confirm key={asked.title} {...asked} /> : null;
}

function Confirm({ title, text, verb, danger = true, act }: Question) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const close = () => question.set(undefined);
  const agree = async () => {
    setBusy(true);
    try {
      await act();
      close();
    } catch (refused) {
      setProblem(refused);
      setBusy(false);
    }
  };
  return (
    <AlertDialog.Root open onOpenChange={(now) => !now && close()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={backdrop} />
        <AlertDialog.Content className={`${panel} max-w-md p-5`}>
          <AlertDialog.Title className="text-lg font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="mt-2 text-muted">{text}</div>
          </AlertDialog.Description>
          {problem !== undefined && <Notice kind="bad" className="mt-3" requestId={requestOf(problem)}>{sentenceOf(problem)}</Notice>}
          <DialogEnd>
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <Button look={danger ? 'danger' : 'primary'} busy={busy} onClick={agree}>{verb}</Button>
          </DialogEnd>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
