import { Button } from './button';
import { CopyButton } from './copy';
import { DialogEnd, useKept } from './dialog';
import { Notice } from './notice';

/** What is shown once: the content of a dialog, which Escape does not close. */
export function Secret({ text, what, hint, done }: { text: string; what: string; hint?: string; done: () => void }) {
  useKept('secret');
  return (
    <>
      <Notice kind="warn">Copy it now: it is shown this once.{hint && ` ${hint}`}</Notice>
      <div className="mt-3 flex items-center gap-2 rounded-lg border border-edge bg-canvas py-1 pr-1 pl-3">
        <code className="min-w-0 grow text-sm wrap-anywhere">{text}</code>
        <CopyButton text={text} what={what} />
      </div>
      <DialogEnd><Button look="primary" onClick={done}>Done</Button></DialogEnd>
    </>
  );
}
