import { ArrowDownToLine, Download, Pause, Play, WrapText } from 'lucide-react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { clock, plural } from '@/base/format';
import { found, withLines, withoutEscapes, type Line } from '@/base/log_buffer';
import { tellProblem } from '@/base/outcomes';
import { followSeen, type ServerEvent } from '@/base/sse';
import { saveBlob } from '@/data/projects';
import type { LogLine } from '@/data/types';
import { logText } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { SearchField } from '@/parts/search';

import type { PartProps } from './workspace';

let keys = 0;
function lineOf({ event, data }: ServerEvent): Line | undefined {
  const note = (text: string): Line => ({ key: ++keys, time: undefined, text, kind: 'note' });
  if (event === 'line') {
    const { time, stream, line, truncated } = JSON.parse(data) as LogLine;
    return { key: ++keys, time, text: withoutEscapes(line) + (truncated ? ' …' : ''), kind: stream === 'stderr' ? 'error' : 'plain' };
  }
  const told = JSON.parse(data) as { message?: string; state?: string; generation?: number };
  if (event === 'instance') return note(told.state === 'none' ? 'There is no container now.' : `Container ${told.generation ?? ''}: ${told.state ?? ''}`);
  return told.message ? note(told.message) : undefined;
}

/** What its container prints, as it does. */
export function LogsPart({ seen }: PartProps) {
  const { id, name } = seen.workspace;
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [paused, setPaused] = useState(false);
  const [wrap, setWrap] = useState(true);
  const [sought, setSought] = useState('');
  const [atEnd, setAtEnd] = useState(true);
  const [saving, setSaving] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  // What comes while it is paused waits; what comes in one moment is shown at once.
  const waiting = useRef<Line[]>([]);
  const [waitingCount, setWaitingCount] = useState(0);
  const isPaused = useRef(false);
  isPaused.current = paused;

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      if (isPaused.current) return setWaitingCount(waiting.current.length);
      const more = waiting.current;
      waiting.current = [];
      setLines((now) => withLines(now, more));
    };
    const stop = followSeen(`/api/workspaces/${id}/logs/stream?tail=500`, {
      onEvent: (event) => {
        const line = lineOf(event);
        if (!line) return;
        waiting.current = withLines(waiting.current, [line]);
        timer ??= setTimeout(flush, 100);
      },
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [id]);
  useEffect(() => {
    if (paused) return;
    const more = waiting.current;
    waiting.current = [];
    setWaitingCount(0);
    if (more.length > 0) setLines((now) => withLines(now, more));
  }, [paused]);

  const shown = useMemo(() => found(lines, sought), [lines, sought]);
  const printed = useMemo(() => shown.filter((each) => each.kind !== 'note').length, [shown]);
  // Said aloud as it is sought: that more lines come would be said again and again.
  const foundFirst = useMemo(() => (sought ? `Found: ${plural(printed, 'line')}` : ''), [sought]);
  const toEnd = () => box.current && (box.current.scrollTop = box.current.scrollHeight);
  useLayoutEffect(() => {
    if (atEnd) toEnd();
  }, [shown, atEnd, wrap]);
  // The button goes with it: the focus stays in the log.
  const goToEnd = () => {
    setAtEnd(true);
    box.current?.focus({ preventScroll: true });
  };
  const save = async () => {
    setSaving(true);
    await logText(id).then((text) => saveBlob(text, `${name}.log`), (problem) => tellProblem('The log could not be downloaded', problem));
    setSaving(false);
  };
  return (
    <div className="overflow-hidden rounded-2xl border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-2 border-b border-line p-2">
        <SearchField label="Search the log" value={sought} onChange={setSought} className="min-w-40 grow" />
        <span role="status" className="sr-only">{foundFirst}</span>
        <span className="tabular text-sm text-muted">{sought ? `${plural(printed, 'line')} found` : plural(printed, 'line')}{waitingCount > 0 && `, ${waitingCount} waiting`}</span>
        <Button size="small" icon={paused ? Play : Pause} aria-pressed={paused} onClick={() => setPaused(!paused)}>{paused ? 'Go on' : 'Pause'}</Button>
        <Button size="small" icon={WrapText} aria-pressed={wrap} onClick={() => setWrap(!wrap)}>Wrap</Button>
        <Button size="small" icon={Download} busy={saving} onClick={() => void save()}>Download</Button>
      </div>
      <div className="relative">
        <div
          ref={box}
          tabIndex={0}
          role="log"
          aria-label={`The log of ${name}`}
          aria-live="off"
          className="h-[max(20rem,calc(100dvh-22rem))] overflow-auto bg-canvas p-3 font-mono text-[0.8125rem] leading-relaxed"
          onScroll={({ currentTarget: each }) => setAtEnd(each.scrollHeight - each.scrollTop - each.clientHeight < 24)}
        >
          {shown.length === 0 && <p className="font-sans text-muted">{lines.length > 0 ? 'No line has this text.' : 'Nothing has been printed yet.'}</p>}
          {shown.map((line) => (
            <div key={line.key} className={`flex gap-3 ${wrap ? 'whitespace-pre-wrap wrap-anywhere' : 'w-max whitespace-pre'}`}>
              {line.kind === 'note' ? (
                <span className="my-1 font-sans text-xs text-accent">{line.text}</span>
              ) : (
                <>
                  <span className="shrink-0 text-muted select-none" title={line.time}>{line.time ? clock(line.time) : ''}</span>
                  <span className={line.kind === 'error' ? 'text-bad' : ''}>{line.text}</span>
                </>
              )}
            </div>
          ))}
        </div>
        {!atEnd && <Button size="small" look="primary" icon={ArrowDownToLine} className="absolute right-4 bottom-4 shadow-float" onClick={goToEnd}>To the end</Button>}
      </div>
    </div>
  );
}
