import { useId } from 'react';

/** The points of a line through values of 0 to `most`, in a box of `width` × `height`; the newest at the right. */
export function linePoints(values: readonly number[], most: number, width: number, height: number, slots: number): string {
  const step = width / Math.max(1, slots - 1);
  const start = width - step * (values.length - 1);
  const top = most > 0 ? most : 1;
  return values.map((value, index) => `${(start + index * step).toFixed(1)},${(height - (Math.min(value, top) / top) * height).toFixed(1)}`).join(' ');
}

/** A line of the last values. What it shows is said in `text`, for whoever does not see it. */
export function Sparkline({ values, most, slots = 60, width = 120, height = 28, text, className = '' }: {
  values: readonly number[];
  most: number;
  slots?: number;
  width?: number;
  height?: number;
  text: string;
  className?: string;
}) {
  const id = useId();
  const points = linePoints(values, most, width, height - 3, slots);
  const first = points.split(',')[0];
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={text} className={`text-accent ${className}`}>
      <line x1="0" x2={width} y1={height - 0.5} y2={height - 0.5} stroke="var(--line)" vectorEffect="non-scaling-stroke" />
      {values.length > 1 && (
        <g transform="translate(0 1.5)">
          <linearGradient id={id} x1="0" x2="0" y1="0" y2="1">
            <stop offset="0" stopColor="currentColor" stopOpacity="0.28" />
            <stop offset="1" stopColor="currentColor" stopOpacity="0.02" />
          </linearGradient>
          <polygon points={`${first},${height - 2} ${points} ${width},${height - 2}`} fill={`url(#${id})`} />
          <polyline points={points} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" strokeLinecap="round" vectorEffect="non-scaling-stroke" />
        </g>
      )}
    </svg>
  );
}
