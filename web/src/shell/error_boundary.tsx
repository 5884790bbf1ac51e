import { Component, type ReactNode } from 'react';

import { Button } from '@/parts/button';
import { Notice } from '@/parts/notice';

/** A mistake of a screen, or a part of the page that could not be loaded (after an upgrade, say). */
export class ErrorBoundary extends Component<{ children: ReactNode }, { problem: unknown }> {
  override state = { problem: undefined as unknown };
  static getDerivedStateFromError(problem: unknown) {
    return { problem };
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
