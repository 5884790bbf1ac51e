import { Boxes, FolderGit2, LogOut, Menu as MenuIcon, Monitor, Moon, Search, ShieldCheck, Sun, Trash2, UserRound, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

import { onMac } from '@/base/keyboard';
import { tellProblem } from '@/base/outcomes';
import { navigate, usePath } from '@/base/router';
import { signOut } from '@/base/session';
import { useStore } from '@/base/store';
import type { User } from '@/data/types';
import { buttonClass, IconButton } from '@/parts/button';
import { Link } from '@/parts/link';
import { Menu } from '@/parts/menu';

import { Connection } from './connection';
import { openPalette } from './palette';
import { setTheme, theme } from './theme';

export interface Place {
  to: string;
  label: string;
  icon: LucideIcon;
}
export const places = (user: User): Place[] => [
  { to: '/workspaces', label: 'Workspaces', icon: Boxes },
  { to: '/projects', label: 'Projects', icon: FolderGit2 },
  { to: '/trash', label: 'Trash', icon: Trash2 },
  ...(user.role === 'admin' ? [{ to: '/admin', label: 'Administration', icon: ShieldCheck }] : []),
];

export const leave = () => signOut().catch((problem) => tellProblem('You are still signed in', problem));

const isAt = (path: string, to: string) => path === to || path.startsWith(`${to}/`) || (path === '/' && to === '/workspaces');

export function Shell({ user, children }: { user: User; children: ReactNode }) {
  const path = usePath();
  const here = places(user);
  const chosen = useStore(theme);
  return (
    <div className="flex min-h-dvh flex-col">
      <a href="#main" className={buttonClass('primary', 'normal', 'sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-[80]')}>Skip to the content</a>
      <Connection />
      <header className="sticky top-0 z-30 border-b border-line bg-surface/95 backdrop-blur">
        <div className="mx-auto flex h-14 max-w-7xl items-center gap-2 px-4 sm:px-6">
          <Link to="/workspaces" aria-label="AgentDB9 Workspaces, home" className="mr-1 flex items-center gap-2.5 font-semibold tracking-tight">
            <img src="/favicon.svg" alt="" width="28" height="28" />
            <span className="max-[26rem]:hidden">AgentDB9</span>
          </Link>
          <nav aria-label="Main" className="hidden items-center gap-0.5 md:flex">
            {here.map(({ to, label, icon: Icon }) => (
              <Link key={to} to={to} aria-current={isAt(path, to) ? 'page' : undefined} className="flex h-9 items-center gap-2 rounded-lg px-3 text-sm font-medium text-muted hover:bg-raised hover:text-text aria-[current=page]:bg-raised aria-[current=page]:text-text">
                <Icon aria-hidden className="size-4" />
                {label}
              </Link>
            ))}
          </nav>
          <div className="grow" />
          <button type="button" onClick={openPalette} aria-keyshortcuts={onMac ? 'Meta+K' : 'Control+K'} className="hidden h-9 items-center gap-2 rounded-lg border border-line bg-canvas pr-2 pl-3 text-sm text-muted hover:border-edge sm:flex">
            <Search aria-hidden className="size-4" />
            <span className="pr-4">Go to…</span>
            <kbd className="rounded border border-line bg-surface px-1.5 font-sans text-xs">{onMac ? '⌘' : 'Ctrl '}K</kbd>
          </button>
          <IconButton label="Go to…" icon={Search} className="sm:!hidden" onClick={openPalette} />
          <Menu
            trigger={<IconButton label="Account menu" icon={UserRound} look="secondary" className="rounded-full" />}
            header={
              <div className="border-b border-line px-2.5 pt-1 pb-2 text-sm">
                <p className="font-medium wrap-anywhere">{user.username}</p>
                <p className="text-xs text-muted wrap-anywhere">{user.email}</p>
              </div>
            }
            entries={[
              { label: 'Account', icon: UserRound, act: () => navigate('/account') },
              chosen === 'dark' ? { label: 'Light colours', icon: Sun, act: () => setTheme('light') } : { label: 'Dark colours', icon: Moon, act: () => setTheme('dark') },
              ...(chosen === 'system' ? [] : [{ label: 'Colours of the system', icon: Monitor, act: () => setTheme('system') }]),
              'line',
              { label: 'Sign out', icon: LogOut, act: () => void leave() },
            ]}
          />
          <Menu trigger={<IconButton label="Main menu" icon={MenuIcon} className="md:!hidden" />} entries={here.map(({ to, label, icon }) => ({ label, icon, act: () => navigate(to) }))} />
        </div>
      </header>
      <main id="main" tabIndex={-1} className="mx-auto w-full max-w-7xl grow px-4 py-6 sm:px-6">{children}</main>
    </div>
  );
}
