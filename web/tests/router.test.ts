import { expect, test } from 'vitest';

import { asksForPalette } from '@/base/keyboard';
import { isPlainClick, matchPath } from '@/base/router';

test('a pattern matches its addresses and no others', () => {
  expect(matchPath('/', '/')).toEqual({});
  expect(matchPath('/workspaces', '/workspaces/')).toEqual({});
  expect(matchPath('/workspaces/:id/:part?', '/workspaces/7')).toEqual({ id: '7' });
  expect(matchPath('/workspaces/:id/:part?', '/workspaces/7/logs')).toEqual({ id: '7', part: 'logs' });
  expect(matchPath('/workspaces/:id/:part?', '/workspaces/7/logs/more')).toBeUndefined();
  expect(matchPath('/workspaces/:id', '/workspaces')).toBeUndefined();
  expect(matchPath('/workspaces', '/projects')).toBeUndefined();
  expect(matchPath('/', '/workspaces')).toBeUndefined();
  expect(matchPath('/:name', '/a%20b')).toEqual({ name: 'a b' });
  expect(matchPath('/:name', '/%E0%A4%A')).toBeUndefined();
});

test('a click with a key is the browser’s', () => {
  const click = { button: 0, metaKey: false, ctrlKey: false, shiftKey: false, altKey: false, defaultPrevented: false };
  expect(isPlainClick(click)).toBe(true);
  for (const other of [{ button: 1 }, { metaKey: true }, { ctrlKey: true }, { shiftKey: true }, { altKey: true }, { defaultPrevented: true }]) expect(isPlainClick({ ...click, ...other })).toBe(false);
});

test('the palette has the command key of each keyboard, and takes no other', () => {
  const key = { key: 'k', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  expect([asksForPalette({ ...key, ctrlKey: true }, false), asksForPalette({ ...key, metaKey: true }, true)]).toEqual([true, true]);
  // Ctrl-K in a Mac's text field deletes to the end of the line.
  expect([asksForPalette({ ...key, ctrlKey: true }, true), asksForPalette({ ...key, metaKey: true }, false)]).toEqual([false, false]);
  expect([asksForPalette({ ...key, key: 'K', ctrlKey: true, shiftKey: true }, false), asksForPalette(key, false)]).toEqual([false, false]);
});
