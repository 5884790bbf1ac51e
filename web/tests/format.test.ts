import { expect, test } from 'vitest';

import { ago, bytes, elapsed, megabytes, percent, plural } from '@/base/format';
import { found, mostLines, withLines, withoutEscapes, type Line } from '@/base/log_buffer';

test('amounts are short and keep their order', () => {
  expect([0, 999, 1000, 1234, 999_499, 999_600, 12_345_678, 5e12].map(bytes)).toEqual(['0 B', '999 B', '1 kB', '1.2 kB', '999 kB', '1 MB', '12 MB', '5 TB']);
  expect([512, 1024, 1536].map(megabytes)).toEqual(['512 MB', '1 GB', '1.5 GB']);
  expect([0.04, 9.96, 10.4, 200].map(percent)).toEqual(['0 %', '10 %', '10 %', '200 %']);
  expect([plural(1, 'line'), plural(2, 'line'), plural(0, 'copy', 'copies')]).toEqual(['1 line', '2 lines', '0 copies']);
});

test('times are told as people tell them', () => {
  expect([-5, 999, 59_999, 60_000, 3_600_000, 3_725_000].map(elapsed)).toEqual(['0 s', '0 s', '59 s', '1 min 00 s', '1 h 00 min', '1 h 02 min']);
  const now = Date.parse('2026-01-31T12:00:00Z');
  expect(ago('2026-01-31T11:59:58Z', now)).toBe('just now');
  expect(ago('2026-01-31T11:57:00Z', now)).toBe('3 minutes ago');
  expect(ago('2026-02-02T12:00:00Z', now)).toBe('in 2 days');
});

test('a log is text, of which the last lines are kept and some found', () => {
  expect(withoutEscapes('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007end\u001b[2K')).toBe('red end');
  const line = (key: number, text = `line ${key}`): Line => ({ key, time: undefined, text, kind: 'plain' });
  const many = withLines(Array.from({ length: mostLines }, (_, key) => line(key)), [line(-1, 'The Last')]);
  expect(many).toHaveLength(mostLines);
  expect(many[0]?.key).toBe(1);
  expect(found(many, 'the last').map((each) => each.key)).toEqual([-1]);
  expect(found(many, '')).toBe(many);
});
