import '@xterm/xterm/css/xterm.css';

import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { Plus } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import { TerminalLink, type LinkState } from '@/base/terminal_link';
import { isOpenable, terminalTicket } from '@/data/workspaces';
import { Button } from '@/parts/button';
import { useFocusKept } from '@/parts/focus';
import { Notice } from '@/parts/notice';

import { NotRunning } from './not_running';
import type { PartProps } from './workspace';
import { withSheets } from './xterm_styles';

/** A shell in its container. It begins once that runs, and ends by its own word alone: a stop that was asked for may be refused. */
export function TerminalPart({ seen }: PartProps) {
  const [round, setRound] = useState(0);
  const [state, setState] = useState<LinkState>({ kind: 'connecting' });
  const there = isOpenable(seen.workspace.phase);
  const [begun, setBegun] = useState(there);
  if (there && !begun) setBegun(true);
  useFocusKept(begun);
  if (!begun) return <NotRunning seen={seen} what="A terminal needs a running container." />;
  return (
    <div className="overflow-hidden rounded-2xl border border-line bg-[#12161d]">
      <Screen key={round} id={seen.workspace.id} name={seen.workspace.name} onState={setState} />
      <div role="status" className="flex min-h-11 flex-wrap items-center gap-2 border-t border-line bg-surface px-3 py-1.5 text-sm">
        {state.kind === 'connecting' && <span className="text-muted">Connecting…</span>}
        {state.kind === 'open' && <span className="text-muted">Connected. Keys go to the shell; leave it with Ctrl-F6.</span>}
        {state.kind === 'lost' && <Notice kind="warn" className="!py-1">{state.why}</Notice>}
        {state.kind === 'over' && (
          <>
            <span className="grow">{state.why}</span>
            <Button size="small" icon={Plus} onClick={() => { setState({ kind: 'connecting' }); setRound(round + 1); setBegun(there); }}>New terminal</Button>
          </>
        )}
      </div>
    </div>
  );
}

function Screen({ id, name, onState }: { id: string; name: string; onState: (state: LinkState) => void }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const terminal = new Terminal({
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--font-mono') || 'monospace',
      fontSize: 13,
      cursorBlink: false,
      scrollback: 10_000,
      screenReaderMode: false,
      theme: { background: '#12161d', foreground: '#e4e8ee', cursor: '#84adff', selectionBackground: '#31507f' },
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    withSheets(() => terminal.open(host.current!));
    fit.fit();
    terminal.textarea?.setAttribute('aria-label', `Terminal of ${name}`);
    const link = new TerminalLink({
      address: (query) => `${location.origin.replace(/^http/, 'ws')}/api/workspaces/${id}/terminal?${query}`,
      ticket: () => terminalTicket(id),
      size: () => ({ columns: terminal.cols, rows: terminal.rows }),
      onOutput: (bytes) => terminal.write(bytes, () => link.shown()),
      onState: (state) => {
        onState(state);
        if (state.kind === 'open') terminal.focus();
        terminal.options.disableStdin = state.kind === 'over';
      },
    });
    const encoder = new TextEncoder();
    terminal.onData((text) => link.send(encoder.encode(text)));
    terminal.onBinary((text) => link.send(Uint8Array.from(text, (each) => each.charCodeAt(0))));
    terminal.onResize(() => link.resize());
    // Tab and Escape are the shell's; there is a way out all the same.
    terminal.attachCustomKeyEventHandler((event) => {
      if (event.key !== 'F6' || !event.ctrlKey) return true;
      if (event.type === 'keydown') document.getElementById('main')?.focus();
      return false;
    });
    // While another part is shown it has no size, and keeps the one that the shell knows.
    const observer = new ResizeObserver(() => host.current?.clientHeight && fit.fit());
    observer.observe(host.current!);
    return () => {
      observer.disconnect();
      link.close();
      terminal.dispose();
    };
  }, [id, name, onState]);
  return <div ref={host} className="h-[max(20rem,calc(100dvh-21.5rem))] p-2" />;
}
