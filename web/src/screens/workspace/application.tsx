import { ExternalLink, LoaderCircle, Maximize, RefreshCw } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';

import { isOpenable, proxyTicket } from '@/data/workspaces';
import { Button, IconButton } from '@/parts/button';
import { useFocusKept } from '@/parts/focus';
import { Failed } from '@/parts/notice';

import { openApplication } from '../open_application';
import { NotRunning } from './not_running';
import type { PartProps } from './workspace';

/** Its application, from its own origin, in a frame: it gets no hold of this page. */
export function ApplicationPart({ seen }: PartProps) {
  const { workspace } = seen;
  const [url, setUrl] = useState<string>();
  const [problem, setProblem] = useState<unknown>();
  const [loaded, setLoaded] = useState(false);
  const frame = useRef<HTMLIFrameElement>(null);
  // The server's word, not what was asked for: a stop may be refused, and what is in the frame is not to be lost for it.
  const there = isOpenable(workspace.phase);
  useFocusKept(there);
  const load = useCallback(() => {
    setProblem(undefined);
    setLoaded(false);
    setUrl(undefined);
    proxyTicket(workspace.id).then((ticket) => setUrl(ticket.url), setProblem);
  }, [workspace.id]);
  // Once it is there, and once more for another project: what the frame shows is the old one's.
  useEffect(() => {
    if (there) load();
  }, [there, workspace.currentProjectId, load]);
  if (!there) return <NotRunning seen={seen} what="Its application shows here while it runs." />;
  if (problem !== undefined) return <Failed what="The application’s address" problem={problem} again={load} />;
  return (
    <div className="overflow-hidden rounded-2xl border border-line bg-surface">
      <div className="flex items-center gap-1 border-b border-line px-2 py-1">
        <p className="min-w-0 grow truncate px-2 text-sm text-muted">{workspace.name}</p>
        <IconButton label="Load again" icon={RefreshCw} onClick={load} />
        {document.fullscreenEnabled && <IconButton label="Full screen" icon={Maximize} onClick={() => void frame.current?.requestFullscreen()} />}
        <Button look="quiet" icon={ExternalLink} onClick={() => void openApplication(workspace)}>In a tab</Button>
      </div>
      <div className="relative h-[max(24rem,calc(100dvh-21.5rem))]">
        {!loaded && <p role="status" className="absolute inset-0 flex items-center justify-center gap-2 text-sm text-muted"><LoaderCircle aria-hidden className="size-4 animate-spin" />Opening the application…</p>}
        {url && (
          <iframe
            ref={frame}
            src={url}
            title={`The application of ${workspace.name}`}
            // All that an application needs but one thing: to lead this page elsewhere.
            sandbox="allow-scripts allow-same-origin allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-downloads allow-pointer-lock"
            allow="clipboard-read; clipboard-write; fullscreen"
            onLoad={() => setLoaded(true)}
            className="relative size-full"
          />
        )}
      </div>
    </div>
  );
}
