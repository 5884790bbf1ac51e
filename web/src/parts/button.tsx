import { LoaderCircle, type LucideIcon } from 'lucide-react';
import type { ComponentProps, MouseEvent, ReactNode } from 'react';

type Look = 'primary' | 'secondary' | 'quiet' | 'danger' | 'danger-quiet';
const looks: Record<Look, string> = {
  primary: 'bg-accent text-on-accent border-transparent hover:bg-accent-strong',
  secondary: 'bg-surface text-text border-line hover:bg-raised',
  quiet: 'bg-transparent text-text border-transparent hover:bg-raised',
  danger: 'bg-bad text-surface border-transparent hover:opacity-90',
  'danger-quiet': 'bg-transparent text-bad border-line hover:bg-bad-soft',
};
const shape =
  'inline-flex items-center justify-center gap-2 rounded-lg border font-medium whitespace-nowrap select-none transition-colors aria-disabled:opacity-50 aria-disabled:cursor-default aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent';
const sizes = { normal: 'min-h-9 px-3.5 text-sm', small: 'min-h-8 px-2.5 text-[0.8125rem]' };

export const buttonClass = (look: Look = 'secondary', size: keyof typeof sizes = 'normal', more = '') => `${shape} ${looks[look]} ${sizes[size]} ${more}`;

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  look?: Look;
  size?: keyof typeof sizes;
  icon?: LucideIcon;
  /** What was asked for goes on: it says so and does nothing. */
  busy?: boolean;
  /** It keeps the focus that it has: it is not disabled but says that it is, and does nothing. */
  off?: boolean;
  children?: ReactNode;
}

export function Button({ look = 'secondary', size = 'normal', icon: Icon, busy = false, off = false, className = '', children, onClick, type = 'button', ...more }: ButtonProps) {
  const inert = busy || off;
  const click = (event: MouseEvent<HTMLButtonElement>) => {
    if (inert) event.preventDefault();
    else onClick?.(event);
  };
  return (
    <button type={type} aria-disabled={inert || undefined} aria-busy={busy || undefined} className={buttonClass(look, size, className)} onClick={click} {...more}>
      {busy ? <LoaderCircle aria-hidden className="size-4 animate-spin" /> : Icon && <Icon aria-hidden className="size-4 shrink-0" />}
      {children}
    </button>
  );
}

export function IconButton({ label, icon: Icon, className = '', look = 'quiet', ...more }: Omit<ButtonProps, 'children' | 'icon'> & { label: string; icon: LucideIcon }) {
  return (
    <Button look={look} aria-label={label} title={label} className={`!px-0 size-9 shrink-0 ${className}`} {...more}>
      <Icon aria-hidden className="size-[1.125rem]" />
    </Button>
  );
}
