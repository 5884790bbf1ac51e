import { expect, test } from 'vitest';

import { followed, savedAs, untouched, type Draft } from '@/parts/draft';

interface Fields {
  name: string;
  note: string;
}
const before: Fields = { name: 'Old', note: '' };
const shown = (draft: Draft<Fields>, told: Fields) => ({ ...told, ...followed(draft, told).typed });

test('a form follows the server until somebody types, and what was typed is kept then', () => {
  expect(shown(untouched, { ...before, name: 'New' })).toEqual({ name: 'New', note: '' });
  const typed: Draft<Fields> = { typed: { note: 'mine' }, savedOver: undefined };
  expect(shown(typed, { name: 'New', note: 'theirs' })).toEqual({ name: 'New', note: 'mine' });
});

test('what was saved shows until the server’s next word, which it follows from then on', () => {
  const typed: Draft<Fields> = { typed: { note: 'mine' }, savedOver: undefined };
  const saved = savedAs(typed, typed, before);
  expect(shown(saved, before).note).toBe('mine');
  expect(shown(saved, { ...before, note: 'mine' }).note).toBe('mine');
  expect(shown(saved, { ...before, note: 'later, of another' }).note).toBe('later, of another');
});

test('what is typed while it is being saved is not taken for saved', () => {
  const sent: Draft<Fields> = { typed: { note: 'mine' }, savedOver: undefined };
  const typedOn: Draft<Fields> = { typed: { note: 'mine, and more' }, savedOver: undefined };
  expect(shown(savedAs(typedOn, sent, before), { ...before, note: 'mine' }).note).toBe('mine, and more');
});
