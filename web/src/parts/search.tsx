import { Search } from 'lucide-react';

/** Narrows a list down as one types. */
export function SearchField({ label, value, onChange, className = '' }: { label: string; value: string; onChange: (value: string) => void; className?: string }) {
  return (
    <label className={`flex items-center gap-2 rounded-lg border border-line bg-surface px-2.5 focus-within:border-edge focus-within:ring-2 focus-within:ring-accent/40 ${className}`}>
      <Search aria-hidden className="size-4 shrink-0 text-muted" />
      <span className="sr-only">{label}</span>
      <input type="search" className="h-9 min-w-0 grow bg-transparent text-sm outline-none" placeholder="Search" value={value} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}
