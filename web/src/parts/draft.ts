// A form that shows what the server has: it follows that until somebody types, keeps what was typed, and follows again once it
// is saved.
import { useState, type ChangeEvent } from 'react';

export interface Draft<T> {
  typed: Partial<T>;
  /** What the server had when it was saved: with its next word nothing of what was typed is left. */
  savedOver: string | undefined;
}
export const untouched = { typed: {}, savedOver: undefined };

/** With the server's word as it is now. */
export const followed = <T,>(draft: Draft<T>, told: T): Draft<T> => (draft.savedOver !== undefined && draft.savedOver !== JSON.stringify(told) ? untouched : draft);
/** Saved is what was sent: of what was typed since, nothing is. */
export const savedAs = <T,>(draft: Draft<T>, sent: Draft<T>, told: T): Draft<T> => (draft === sent ? { ...draft, savedOver: JSON.stringify(told) } : draft);

type Typing = ChangeEvent<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>;

export function useDraft<T extends object>(told: T) {
  const [kept, setDraft] = useState<Draft<T>>(untouched);
  const draft = followed(kept, told);
  if (draft !== kept) setDraft(draft);
  const shown: T = { ...told, ...draft.typed };
  const put = (typed: Partial<T>) => setDraft((now) => ({ typed: { ...now.typed, ...typed }, savedOver: undefined }));
  return {
    shown,
    put,
    /** For a field of text. */
    field: (name: { [K in keyof T]: T[K] extends string ? K : never }[keyof T]) =>
      ({ value: shown[name] as string, onChange: (event: Typing) => put({ [name]: event.target.value } as unknown as Partial<T>) }),
    saved: () => setDraft((now) => savedAs(now, draft, told)),
  };
}
