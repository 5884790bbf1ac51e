import type { ComponentProps } from 'react';

import { isPlainClick, navigate } from '@/base/router';

/** To another screen. */
export function Link({ to, onClick, ...more }: Omit<ComponentProps<'a'>, 'href'> & { to: string }) {
  return (
    <a
      href={to}
      onClick={(event) => {
        onClick?.(event);
        if (!isPlainClick(event)) return;
        event.preventDefault();
        navigate(to);
      }}
      {...more}
    />
  );
}
