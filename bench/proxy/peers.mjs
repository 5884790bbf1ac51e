// The proxies, each with what makes it comparable: access log off, kept connections to the upstream, no buffering of
// requests, time limits of an hour, X-Forwarded-* set and Authorization dropped. Each runs in the foreground, with its
// configuration in a folder of its own.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Process, freePort } from './processes.mjs';

const asRoot = process.getuid() === 0;

function version(command, args) {
  try {
    const text = execFileSync('bash', ['-c', '"$0" "$@" 2>&1', command, ...args], { encoding: 'utf8' });
    return /\d+\.\d+[^\s,]*/.exec(text)?.[0];
  } catch {
    return undefined; // it is not there
  }
}

export const nginxHead = (folder, workers) => `
daemon off;
${asRoot ? 'user root;' : ''}
pid ${folder}/pid;
error_log stderr error;
worker_processes ${workers};
events { worker_connections 16384; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;`;

const nginx = ({ folder, port, upstream, workers, tls }) => `${nginxHead(folder, workers)}
  map $http_upgrade $connection_field { default upgrade; '' ''; }
  upstream application {
    server 127.0.0.1:${upstream};
    keepalive 256;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }
  server {
    listen 127.0.0.1:${port} ${tls ? 'ssl' : ''};
    ${tls ? `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.2 TLSv1.3;` : ''}
    client_max_body_size 0;
    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_field;
      proxy_set_header Authorization "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_request_buffering off;
      proxy_buffers 16 16k;
      proxy_max_temp_file_size 0;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }
}
`;

const haproxy = ({ port, upstream, workers, secret }) => `
global
  nbthread ${workers}
  maxconn 6000
defaults
  mode http
  option http-keep-alive
  option splice-auto
  http-reuse always
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  timeout http-keep-alive 1h
frontend clients
  bind 127.0.0.1:${port}
  ${secret ? `http-request deny deny_status 401 unless { http_auth_bearer,jwt_verify("HS256","${secret}") -m int 1 }` : ''}
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request set-header X-Forwarded-Proto http
  http-request del-header Authorization
  default_backend application
backend application
  server application 127.0.0.1:${upstream} pool-max-conn 512
`;

// Caddy sets X-Forwarded-* by itself.
const caddy = ({ port, upstream }) => `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${upstream} {
    header_up -Authorization
    transport http {
      keepalive 1h
      keepalive_idle_conns 512
      keepalive_idle_conns_per_host 512
      compression off
    }
  }
}
`;

const haproxyPeer = (name, secretOf) => ({
  name,
  version: () => version('haproxy', ['-v']),
  authenticates: secretOf !== undefined,
  start: (place) => {
    const file = join(place.folder, 'haproxy.cfg');
    writeFileSync(file, haproxy({ ...place, secret: secretOf?.(place) }));
    return new Process(name, place.cpus, 'haproxy', ['-db', '-f', file]);
  },
});

// Each: its name, its version (absent: it is not installed), whether it is set up for TLS, and how it is started.
// place: {folder, port, upstream, workers, cpus, secret, tls: absent or {certificate, key}}.
export function peers({ server, programs, sources }) {
  const chp = join(programs, 'node_modules/configurable-http-proxy');
  return [
    {
      name: 'nginx',
      secure: true,
      version: () => version('nginx', ['-v']),
      start: (place) => {
        const file = join(place.folder, 'nginx.conf');
        writeFileSync(file, nginx(place));
        return new Process('nginx', place.cpus, 'nginx', ['-e', 'stderr', '-p', place.folder, '-c', file]);
      },
    },
    haproxyPeer('haproxy'),
    haproxyPeer('haproxy-jwt', (place) => place.secret),
    {
      name: 'caddy',
      version: () => version('caddy', ['version']),
      start: (place) => {
        const file = join(place.folder, 'Caddyfile');
        writeFileSync(file, caddy(place));
        const home = { HOME: place.folder, XDG_CONFIG_HOME: place.folder, XDG_DATA_HOME: place.folder };
        const args = ['run', '--config', file, '--adapter', 'caddyfile'];
        return new Process('caddy', place.cpus, 'caddy', args, { ...home, GOMAXPROCS: `${place.workers}` });
      },
    },
    {
      name: 'chp',
      version: () => existsSync(chp) && JSON.parse(readFileSync(join(chp, 'package.json'), 'utf8')).version,
      mostWorkers: 1,
      keepsAuthorization: true, // it has no setting that takes a header away
      start: async (place) => {
        const args = [join(chp, 'bin/configurable-http-proxy'), '--ip', '127.0.0.1', '--port', `${place.port}`];
        args.push('--api-ip', '127.0.0.1', '--api-port', `${await freePort()}`, '--log-level', 'error');
        args.push('--default-target', `http://127.0.0.1:${place.upstream}`);
        const env = { NODE_ENV: 'production', CONFIGPROXY_AUTH_TOKEN: place.secret };
        return new Process('chp', place.cpus, process.execPath, args, env);
      },
    },
    {
      name: 'ours',
      version: () => execFileSync('git', ['-C', sources, 'describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
      authenticates: true,
      ours: true,
      secure: true,
      start: ({ cpus, secret, workers, upstream, tls }) =>
        new Process('ours', cpus, server, ['serve', secret, `${workers}`, `${upstream}`, ...(tls ? [tls.certificate, tls.key] : [])]),
    },
  ];
}

// Started and listening. Returns its process, with its `port`.
export async function startPeer(peer, place) {
  const folder = join(place.folder, peer.name);
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const started = await peer.start({ ...place, folder, port });
  started.port = peer.ours ? Number(await started.line()) : port;
  await started.listens(started.port);
  return started;
}
