import { Book, Box, Code, Database, Palette, Table, type LucideIcon } from 'lucide-react';

const icons: Record<string, LucideIcon> = { code: Code, table: Table, book: Book, database: Database, palette: Palette };

export function TypeIcon({ icon, className = '' }: { icon: string | undefined; className?: string }) {
  const Icon = icons[icon ?? ''] ?? Box;
  return (
    <span className={`flex size-10 shrink-0 items-center justify-center rounded-xl bg-accent-soft text-accent ${className}`}>
      <Icon aria-hidden className="size-5" />
    </span>
  );
}
