import type { LucideIcon } from 'lucide-react';
import { DropdownMenu as Radix } from 'radix-ui';
import { useState, type ReactNode } from 'react';

export interface MenuEntry {
  label: string;
  icon: LucideIcon;
  act: () => void;
  danger?: boolean;
  /** It cannot be done now; says why. */
  off?: string | false | undefined;
}

export function Menu({ trigger, entries, header }: { trigger: ReactNode; entries: (MenuEntry | 'line')[]; header?: ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <Radix.Root modal={false} open={open} onOpenChange={setOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      {/* Within a landmark: who reads by those finds it. */}
      <Radix.Portal container={open ? document.getElementById('main') : null}>
        <Radix.Content align="end" sideOffset={6} collisionPadding={8} className="z-50 min-w-48 max-w-[calc(100vw-1rem)] rounded-xl border border-line bg-surface p-1 shadow-float animate-appear">
          {header}
          {entries.map((entry, index) =>
            entry === 'line' ? (
              <Radix.Separator key={index} className="my-1 h-px bg-line" />
            ) : (
              <Radix.Item
                key={entry.label}
                disabled={Boolean(entry.off)}
                onSelect={entry.act}
                className={`flex items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-sm outline-none select-none data-disabled:text-muted data-highlighted:bg-raised ${entry.danger && !entry.off ? 'text-bad' : ''}`}
              >
                <entry.icon aria-hidden className="size-4 shrink-0" />
                <span>
                  {entry.label}
                  {entry.off && <small className="block text-xs">{entry.off}</small>}
                </span>
              </Radix.Item>
            ),
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
