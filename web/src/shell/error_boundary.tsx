import { Component, type ReactNode } from 'react';

import { Button } from '@/parts/button';
import { Notice } from '@/parts/notice';

interface State {
  at: string;
  problem: unknown;
}

/** A mistake of a screen, or a part of the page that could not be loaded (after an upgrade, say). Another address is another try. */
export class ErrorBoundary extends Component<{ at?: string; children: ReactNode }, State> {
  override state: State = { at: this.props.at ?? '', problem: undefined };
  static getDerivedStateFromError(problem: unknown): Partial<State> {
    return { problem };
  }
  static getDerivedStateFromProps({ at = '' }: { at?: string }, state: State): State | null {
    return at === state.at ? null : { at, problem: undefined };
  }
  override render() {
    if (this.state.problem === undefined) return this.props.children;
    return (
      <Notice kind="bad">
        <p>This screen failed. Load the page again; if it fails again, tell your administrator what you did.</p>
        <p className="text-xs text-muted">{String(this.state.problem)}</p>
        <Button size="small" className="mt-2" onClick={() => location.reload()}>Load again</Button>
      </Notice>
    );
  }
}
