// What is behind the proxies: nginx for HTTP, an echo server for WebSocket.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxHead } from './peers.mjs';
import { Process, freePort } from './processes.mjs';

export const kSmall = 1024;
export const kLarge = 10_000_000;
export const smallBody = 'x'.repeat(kSmall);
export const largeBody = Buffer.alloc(kLarge, '0123456789abcdef\n');

const fields = ['authorization', 'x_forwarded_for', 'x_forwarded_host', 'x_forwarded_proto', 'host'];

// Whatever the path before the last slash: ours takes a part of it away.
const configuration = (folder, port, workers) => `${nginxHead(folder, workers)}
  sendfile on;
  tcp_nopush on;
  default_type application/octet-stream;
  server {
    listen 127.0.0.1:${port};
    location ~ /1k$ { return 200 "${smallBody}"; }
    location ~ /10m$ { alias ${folder}/10m; }
    location ~ /seen$ { return 200 "${fields.map((each) => `${each}=$http_${each}`).join(';')}"; }
  }
}
`;

export async function startHttp(folder, cpus, workers) {
  const place = join(folder, 'upstream');
  mkdirSync(place, { recursive: true });
  const port = await freePort();
  writeFileSync(join(place, '10m'), largeBody);
  writeFileSync(join(place, 'nginx.conf'), configuration(place, port, workers));
  const started = new Process('upstream', cpus, 'nginx', ['-e', 'stderr', '-p', place, '-c', join(place, 'nginx.conf')]);
  started.port = port;
  await started.listens(port);
  return started;
}

export async function startEcho(program, cpus) {
  const started = new Process('echo', cpus, program, []);
  started.port = Number(await started.line());
  return started;
}
