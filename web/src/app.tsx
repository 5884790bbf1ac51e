// Who is there, and which screen shows at which address. A new screen: its file in screens/, a line in `screens`, and its
// address in src/api/page_routes.cpp.
import { lazy, Suspense, useEffect, useState, type ComponentType, type LazyExoticComponent } from 'react';

import { matchPath, usePath, type Params } from './base/router';
import { outcomes } from './base/outcomes';
import { startLive } from './data/live';
import { queryClient } from './data/client';
import { useSession } from './data/account';
import { changes } from './data/changes';
import { forgetOperations } from './data/project_operations';
import { askNothing, ConfirmHost } from './parts/dialog';
import { Outcomes } from './parts/outcomes';
import { Skeleton } from './parts/page';
import { Connection } from './shell/connection';
import { Palette } from './shell/palette';
import { Shell } from './shell/shell';
import { ErrorBoundary } from './shell/error_boundary';
import { Home } from './screens/home/home';
import { NotFound } from './screens/not_found';
import { SignIn } from './screens/sign_in';

type Screen = ComponentType<Params>;
// What is not on the first screen is loaded when it is asked for.
const later = (load: () => Promise<Record<string, unknown>>, name: string) => lazy(async () => ({ default: (await load())[name] as Screen }));

export const screens: { path: string; screen: Screen | LazyExoticComponent<Screen>; admin?: boolean }[] = [
  { path: '/', screen: Home },
  { path: '/workspaces', screen: Home },
  { path: '/workspaces/:id/:part?', screen: later(() => import('./screens/workspace/workspace'), 'WorkspaceScreen') },
  { path: '/projects', screen: later(() => import('./screens/projects/projects'), 'ProjectsScreen') },
  { path: '/projects/:id/:part?', screen: later(() => import('./screens/projects/project'), 'ProjectScreen') },
  { path: '/trash', screen: later(() => import('./screens/projects/trash'), 'TrashScreen') },
  { path: '/account', screen: later(() => import('./screens/account/account'), 'AccountScreen') },
  { path: '/admin/:part?/:id?', screen: later(() => import('./screens/admin/admin'), 'AdminScreen'), admin: true },
];

function Route({ path, isAdmin }: { path: string; isAdmin: boolean }) {
  for (const { path: pattern, screen: Found, admin } of screens) {
    const params = matchPath(pattern, path);
    if (params && admin && !isAdmin) return <NotFound title="For administrators" what="Only administrators see this screen.">An administrator can make you one, if you need it.</NotFound>;
    if (params) return <Found key={params.id ?? pattern} {...params} />;
  }
  return <NotFound />;
}

export function App() {
  const session = useSession();
  const path = usePath();
  const user = session.kind === 'open' ? session.user : undefined;
  // Whose all of it is that is kept here. In another tab somebody else may sign in: then everything is put away, and drawn anew
  // for them, forms and all.
  const [whose, setWhose] = useState<string>();
  useEffect(() => {
    if (!user?.id) return undefined;
    setWhose(user.id);
    const stop = startLive();
    return () => {
      stop();
      setWhose(undefined);
      // The next one to sign in must not see what was this one's.
      queryClient.clear();
      changes.set(new Map());
      forgetOperations();
      askNothing();
      outcomes.set([]);
    };
  }, [user?.id]);

  if (session.kind === 'unknown' || (user && user.id !== whose)) {
    return (
      <>
        <Connection />
        <div className="mx-auto grid max-w-6xl gap-4 p-6"><Skeleton className="h-10" /><Skeleton className="h-40" /></div>
      </>
    );
  }
  if (!user) {
    return (
      <>
        <Connection />
        <SignIn notice={session.kind === 'none' ? session.why : ''} />
      </>
    );
  }
  return (
    <Shell user={user}>
      <ErrorBoundary at={path}>
        <Suspense fallback={<div className="grid grid-cols-1 gap-4"><Skeleton className="h-9 w-64" /><Skeleton className="h-64" /></div>}>
          <Route path={path} isAdmin={user.role === 'admin'} />
        </Suspense>
      </ErrorBoundary>
      <Palette user={user} />
      <ConfirmHost />
      <Outcomes />
    </Shell>
  );
}
