// Medians and ratios, as tables of text.
export const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => [...row[column]].length)));
  const line = (row) => `| ${row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`;
  return [line(head), `|${widths.map((width, i) => (i ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`, ...rows.map(line)].join('\n');
}

// measurement, number, heading, unit of the number, digits
const columns = [
  ['1k', 'rate', '1 KB: req/s', 1, 0],
  ['1k', 'cpuMicroseconds', 'µs CPU/req', 1, 1],
  ['latency', 'p50', 'p50 µs', 1, 0],
  ['latency', 'p99', 'p99 µs', 1, 0],
  ['10m', 'megabytesPerSecond', '10 MB: MB/s', 1, 0],
  ['10m', 'cpuMicroseconds', 'ms CPU/req', 1000, 2],
  ['websocket', 'rate', 'WebSocket: msg/s', 1, 0],
  ['websocket', 'cpuMicroseconds', 'µs CPU/msg', 1, 1],
  ['idle', 'kilobytes', 'KB/idle WebSocket', 1, 2],
  ['https', 'rate', 'https 1 KB: req/s', 1, 0],
  ['https', 'cpuMicroseconds', 'µs CPU/req', 1, 1],
  ['https10m', 'megabytesPerSecond', 'https 10 MB: MB/s', 1, 0],
  ['https10m', 'cpuMicroseconds', 'ms CPU/req', 1000, 2],
  ['handshake', 'rate', 'handshakes/s', 1, 0],
  ['handshake', 'cpuMicroseconds', 'µs CPU each', 1, 0],
  ['httpsidle', 'kilobytes', 'KB/idle https', 1, 2],
];
const busyColumns = { '1k': '1 KB', latency: '2,000 req/s', '10m': '10 MB', websocket: 'WebSocket', https: 'https 1 KB', https10m: 'https 10 MB', handshake: 'handshakes' };

// samples[measurement][peer]: one entry a round, undefined for a round that is not valid.
const valuesOf = (samples, measurement, peer, number) => (samples[measurement]?.[peer] ?? []).map((each) => each?.[number]);
const present = (values) => values.filter((each) => each !== undefined);

// The median of the rounds, and in brackets the median of each round's ratio to nginx in the same round.
function cell(samples, peer, [measurement, number, , unit, digits]) {
  const values = valuesOf(samples, measurement, peer, number);
  if (present(values).length === 0) return values.length ? 'INVALID' : '–';
  const nginx = valuesOf(samples, measurement, 'nginx', number);
  const ratios = values.map((each, round) => each / nginx[round]).filter((each) => Number.isFinite(each));
  const lost = values.length - present(values).length;
  return (
    (median(present(values)) / unit).toFixed(digits) +
    (ratios.length && peer !== 'nginx' ? ` (${median(ratios).toFixed(2)})` : '') +
    (lost ? ` ${lost} INVALID` : '')
  );
}

export function mainTable(samples, peers) {
  const shown = columns.filter(([measurement]) => samples[measurement]);
  return table(['', ...shown.map((each) => each[2])], peers.map((peer) => [peer, ...shown.map((each) => cell(samples, peer, each))]));
}

// How much of its processors' time each proxy used: near 100 %, it was what held the rate back.
export function busyTable(samples, peers) {
  const shown = Object.keys(busyColumns).filter((measurement) => samples[measurement]);
  const percent = (peer, measurement) => {
    const values = present(valuesOf(samples, measurement, peer, 'busy'));
    return values.length ? `${Math.round(median(values) * 100)} %` : '–';
  };
  return table(['busy', ...shown.map((each) => busyColumns[each])], peers.map((peer) => [peer, ...shown.map((each) => percent(peer, each))]));
}
