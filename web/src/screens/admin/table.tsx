import type { ReactNode } from 'react';

export interface Column {
  label: string;
  /** Tailwind's classes: `hidden sm:table-cell` where a narrow screen has no room; the first column tells it there. */
  look?: string;
  /** It needs no words for those who see it. */
  silent?: boolean;
}

/** A table that fits its place: what has no room on a narrow screen stands in the first column there. */
export function Table({ label, columns, children }: { label: string; columns: Column[]; children: ReactNode }) {
  return (
    <div className="relative overflow-hidden rounded-2xl border border-line bg-surface shadow-card">
      <table aria-label={label} className="w-full text-left text-sm">
        <thead className="border-b border-line text-xs text-muted">
          <tr>
            {columns.map((each) => (
              <th key={each.label} scope="col" className={`px-4 py-2 font-medium ${each.look ?? ''}`}>{each.silent ? <span className="sr-only">{each.label}</span> : each.label}</th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">{children}</tbody>
      </table>
    </div>
  );
}

export const Cell = ({ look = '', children }: { look?: string; children?: ReactNode }) => <td className={`px-4 py-2.5 align-top ${look}`}>{children}</td>;
