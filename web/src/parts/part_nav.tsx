import type { LucideIcon } from 'lucide-react';
import { useEffect, useRef } from 'react';

import { Link } from './link';

export interface PartPlace {
  /** In the address; empty for the first. */
  name: string;
  label: string;
  icon: LucideIcon;
}

/** The parts of a screen, each at an address of its own. `below`: what is shown belongs to `part`, and is not all of it. */
export function PartNav({ of, places, part, path, below = false, className = '' }: {
  of: string;
  places: readonly PartPlace[];
  part: string;
  path: (name: string) => string;
  below?: boolean;
  className?: string;
}) {
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen not all have room: the one that is shown is in sight.
  useEffect(() => {
    // Newer browsers answer with a promise, which is no clean-up of an effect.
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [part]);
  return (
    <nav ref={nav} aria-label={`Parts of the ${of}`} className={`-mx-4 overflow-x-auto border-b border-line px-4 sm:mx-0 sm:px-0 ${className}`}>
      <ul className="flex gap-1">
        {places.map(({ name, label, icon: Icon }) => (
          <li key={name}>
            <Link to={path(name)} aria-current={name === part ? (below ? 'true' : 'page') : undefined} className="-mb-px flex items-center gap-2 border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-muted hover:text-text aria-[current]:border-accent aria-[current]:text-text">
              <Icon aria-hidden className="size-4" />
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
