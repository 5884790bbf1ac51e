// Ctrl-K, ⌘K on a Mac: go anywhere, do anything, by a few letters.
import { Boxes, FolderGit2, LogOut, Moon, Play, Plus, RotateCcw, Search, Square, Sun, UserRound, type LucideIcon } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useEffect, useId, useMemo, useState, type KeyboardEvent } from 'react';

import { giveFocusBack, topDialog } from '@/base/focus';
import { asksForPalette } from '@/base/keyboard';
import { navigate } from '@/base/router';
import { Store, useStore } from '@/base/store';
import { ask } from '@/data/changes';
import { useProjects } from '@/data/projects';
import type { Project, User, Workspace } from '@/data/types';
import { isBusy, isOpenable, useWorkspaces } from '@/data/workspaces';

import { adminPath, adminPlaces } from '@/screens/admin/places';
import { openApplication } from '@/screens/open_application';

import { leave, places } from './shell';
import { setTheme } from './theme';

const shown = new Store(false);
export const openPalette = () => shown.set(true);

export interface Command {
  label: string;
  hint: string;
  icon: LucideIcon;
  act: () => void;
}

/** Those whose words hold all that was typed, in whatever order; what begins with it first. */
export function matching<C extends { label: string; hint: string }>(commands: readonly C[], typed: string): C[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (each: C) => `${each.label} ${each.hint}`.toLowerCase();
  const fits = commands.filter((each) => words.every((word) => text(each).includes(word)));
  const rank = (each: C) => (each.label.toLowerCase().startsWith(words[0] ?? '') ? 0 : 1);
  return words.length === 0 ? fits : fits.sort((a, b) => rank(a) - rank(b));
}

function commandsOf(user: User, workspaces: readonly Workspace[], projects: readonly Project[]): Command[] {
  const of = (workspace: Workspace): Command[] => {
    const { name, phase, id } = workspace;
    const go: Command = { label: name, hint: 'Workspace', icon: Boxes, act: () => navigate(`/workspaces/${id}`) };
    if (isOpenable(phase)) {
      return [go, { label: `Open ${name}`, hint: 'Its application, in a new tab', icon: Play, act: () => void openApplication(workspace) },
        { label: `Stop ${name}`, hint: 'Workspace', icon: Square, act: () => void ask('stop', workspace) },
        { label: `Restart ${name}`, hint: 'Workspace', icon: RotateCcw, act: () => void ask('restart', workspace) }];
    }
    return isBusy(phase) ? [go] : [go, { label: `Start ${name}`, hint: 'Workspace', icon: Play, act: () => void ask('start', workspace) }];
  };
  return [
    ...places(user).map(({ to, label, icon }) => ({ label, hint: 'Screen', icon, act: () => navigate(to) })),
    ...(user.role === 'admin' ? adminPlaces.filter(({ name }) => name) : []).map(({ name, label, icon }) => ({ label, hint: 'Administration', icon, act: () => navigate(adminPath(name)) })),
    { label: 'Account', hint: 'Screen', icon: UserRound, act: () => navigate('/account') },
    { label: 'New workspace', hint: 'Create', icon: Plus, act: () => navigate('/workspaces?new') },
    { label: 'New project', hint: 'Create', icon: Plus, act: () => navigate('/projects?new') },
    ...workspaces.flatMap(of),
    ...projects.map((each) => ({ label: each.name, hint: 'Project', icon: FolderGit2, act: () => navigate(`/projects/${each.id}`) })),
    { label: 'Dark colours', hint: 'Appearance', icon: Moon, act: () => setTheme('dark') },
    { label: 'Light colours', hint: 'Appearance', icon: Sun, act: () => setTheme('light') },
    { label: 'Sign out', hint: user.email, icon: LogOut, act: () => void leave() },
  ];
}

export function Palette({ user }: { user: User }) {
  const open = useStore(shown);
  useEffect(() => {
    const key = (event: globalThis.KeyboardEvent) => {
      if (!asksForPalette(event)) return;
      // There it is the shell's.
      if (event.target instanceof Element && event.target.closest('.xterm')) return;
      event.preventDefault();
      // What stands in a dialog would be lost with the screen that it leads away from.
      if (!shown.get() && topDialog()) return;
      shown.set((now) => !now);
    };
    addEventListener('keydown', key);
    return () => {
      removeEventListener('keydown', key);
      shown.set(false);
    };
  }, []);
  return (
    <Dialog.Root open={open} onOpenChange={shown.set}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[rgb(10_14_22/0.5)] animate-appear" />
        <Dialog.Content
          aria-describedby={undefined}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            giveFocusBack();
          }}
          className="fixed top-[12dvh] left-1/2 z-50 flex max-h-[70dvh] w-[min(36rem,calc(100vw-1.5rem))] -translate-x-1/2 flex-col overflow-hidden rounded-2xl border border-line bg-surface shadow-float animate-appear"
        >
          <Dialog.Title className="sr-only">Go to or do</Dialog.Title>
          <Finder user={user} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Finder({ user }: { user: User }) {
  const id = useId();
  const { data: workspaces = [] } = useWorkspaces();
  const { data: projects = [] } = useProjects();
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const found = useMemo(() => matching(commandsOf(user, workspaces, projects), typed).slice(0, 50), [user, workspaces, projects, typed]);
  const chosen = Math.min(at, found.length - 1);
  const run = (command: Command | undefined) => {
    if (!command) return;
    shown.set(false);
    command.act();
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((chosen + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(found[chosen]);
    }
  };
  useEffect(() => {
    // Without braces a browser's promise would be taken for what ends the effect.
    void document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, chosen]);
  return (
    <>
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Search aria-hidden className="size-4 shrink-0 text-muted" />
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={found.length > 0 ? `${id}-${chosen}` : undefined}
          aria-label="Go to a screen, a workspace or a project, or do something"
          placeholder="Go to a workspace or project, or do something…"
          className="h-12 min-w-0 grow bg-transparent outline-none"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={key}
        />
        <kbd className="rounded border border-line px-1.5 text-xs text-muted">Esc</kbd>
      </div>
      <ul role="listbox" id={`${id}-list`} aria-label="Found" className="overflow-y-auto p-1.5">
        {found.map((command, index) => (
          <li
            key={`${command.label} ${command.hint} ${index}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            className="flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2 text-sm aria-selected:bg-raised"
            onMouseMove={() => setAt(index)}
            onClick={() => run(command)}
          >
            <command.icon aria-hidden className="size-4 shrink-0 text-muted" />
            <span className="min-w-0 grow truncate">{command.label}</span>
            <span className="shrink-0 truncate text-xs text-muted">{command.hint}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="px-4 pb-4 text-sm text-muted">Nothing has these words.</p>}
    </>
  );
}
