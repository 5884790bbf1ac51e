// The container engine as it is, beside the server: what the tests look at and what they do behind its back.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';

const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
export const engineSocket = host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;

function target() {
  if (engineSocket) return { socketPath: engineSocket };
  const url = new URL(host.replace(/^tcp:/, 'http:'));
  return { host: url.hostname, port: url.port };
}

/** One call of the engine's API: `{status, body}`; never throws for a status. */
export function engineCall(method, path, body) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    const call = request({ ...target(), method, path, headers, agent: false }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const answer = Buffer.concat(pieces).toString();
        let parsed = answer;
        try {
          parsed = answer === '' ? undefined : JSON.parse(answer);
        } catch {
          // a text, as some calls answer
        }
        resolve({ status: response.statusCode, body: parsed });
      });
    });
    call.on('error', reject);
    call.end(text);
  });
}

async function expected(method, path, body) {
  const answer = await engineCall(method, path, body);
  if (answer.status >= 400) throw new Error(`the engine answered ${answer.status} to ${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const filters = (labels) => encodeURIComponent(JSON.stringify({ label: labels }));

/** What one installation (`agentdb9.instance`) has on the engine. */
export class Engine {
  constructor(installation) {
    this.installation = installation;
  }

  #labels(more = []) {
    return [`agentdb9.instance=${this.installation}`, ...more];
  }

  /** Containers in any state, as the engine lists them; of one workspace when an id is given. */
  containers(workspaceId) {
    const more = workspaceId ? [`agentdb9.workspace.id=${workspaceId}`] : [];
    return expected('GET', `/containers/json?all=true&filters=${filters(this.#labels(more))}`);
  }

  async running(workspaceId) {
    return (await this.containers(workspaceId)).filter((each) => each.State === 'running');
  }

  async volumes() {
    const answer = await expected('GET', `/volumes?filters=${filters(this.#labels())}`);
    return (answer.Volumes ?? []).map((each) => each.Name);
  }

  /** The container of this name or id in full; undefined when there is none. */
  async inspect(name) {
    const answer = await engineCall('GET', `/containers/${name}/json`);
    return answer.status === 404 ? undefined : answer.body;
  }

  async volumeExists(name) {
    return (await engineCall('GET', `/volumes/${name}`)).status === 200;
  }

  remove(container) {
    return expected('DELETE', `/containers/${container}?force=true&v=false`);
  }
  stop(container) {
    return expected('POST', `/containers/${container}/stop?t=0`);
  }
  kill(container) {
    return expected('POST', `/containers/${container}/kill`);
  }
  pause(container) {
    return expected('POST', `/containers/${container}/pause`);
  }
  rename(container, name) {
    return expected('POST', `/containers/${container}/rename?name=${name}`);
  }

  /** Makes a container or volume that is not this installation's. The caller removes it. */
  async createContainer(name, body) {
    return (await expected('POST', `/containers/create?name=${name}`, body)).Id;
  }
  /** A container of a workspace as a server makes one whose call the engine carried out late. */
  createLeftOver(workspaceId, labels = {}) {
    return this.createContainer(`agentdb9-test-${randomUUID()}`, {
      Image: 'agentdb9/testapp:local',
      Labels: {
        'agentdb9.managed': 'true', 'agentdb9.instance': this.installation, 'agentdb9.workspace.id': workspaceId,
        'agentdb9.workspace.type': 'vscode', 'agentdb9.generation': '1', 'agentdb9.spec': 'x', ...labels,
      },
    });
  }
  createVolume(body) {
    return expected('POST', '/volumes/create', body);
  }
  removeVolume(name) {
    return engineCall('DELETE', `/volumes/${name}?force=true`);
  }
}

/**
 * Runs a shell's text in a container, whose output goes where that of the container's own process goes: into its log.
 * With `detach` it is not waited for.
 */
export function runIn(container, text, { detach = false } = {}) {
  const script = `exec >/proc/1/fd/1 2>/proc/1/fd/2\n${text}`;
  execFileSync('docker', ['exec', ...(detach ? ['-d'] : []), container, 'sh', '-c', script], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** What a container printed, as the engine's own client reads it: `{time, line}`, both streams, one after the other. */
export function printedBy(container) {
  const text = execFileSync('sh', ['-c', 'docker logs -t "$1" 2>&1', 'sh', container], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return text.split('\n').slice(0, -1).map((each) => ({ time: each.slice(0, 30), line: each.slice(31) }));
}

/**
 * The files of a volume as `{path: content}`, without the help of the server: read through a container that is made
 * for it, never started and gone afterwards.
 */
export async function filesOf(volume) {
  const helper = (await expected('POST', '/containers/create', {
    Image: 'agentdb9/testapp:local',
    Labels: { 'agentdb9.test.helper': 'true' },
    HostConfig: { NetworkMode: 'none', Mounts: [{ Type: 'volume', Source: volume, Target: '/look', ReadOnly: true, VolumeOptions: { NoCopy: true } }] },
  })).Id;
  try {
    return filesIn(await archive(helper, '/look'));
  } finally {
    await engineCall('DELETE', `/containers/${helper}?force=true&v=false`);
  }
}

function archive(container, path) {
  return new Promise((resolve, reject) => {
    request({ ...target(), method: 'GET', path: `/containers/${container}/archive?path=${encodeURIComponent(path)}`, agent: false }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(pieces);
        if (response.statusCode === 200) resolve(bytes);
        else reject(new Error(`the engine answered ${response.statusCode} for ${path} of ${container}: ${bytes}`));
      });
    }).on('error', reject).end();
  });
}

// The regular files of a tar archive (POSIX ustar, 512-byte blocks), by their path below its first folder.
function filesIn(tar) {
  const files = {};
  for (let at = 0; at + 512 <= tar.length; ) {
    const header = tar.subarray(at, at + 512);
    if (header[0] === 0) break;
    const text = (from, length) => header.subarray(from, from + length).toString().replace(/\0.*$/s, '');
    const size = parseInt(text(124, 12), 8) || 0;
    const name = text(0, 100).replace(/^[^/]*\//, '');
    const kind = String.fromCharCode(header[156]);
    if ((kind === '0' || kind === '\0') && name !== '') files[name] = tar.subarray(at + 512, at + 512 + size).toString();
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** Removes everything that an installation left, without waiting for anything else: also while a process ends. */
export function removeEverything(installation, network) {
  const docker = (...words) => {
    try {
      return execFileSync('docker', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 });
    } catch {
      return '';  // gone already, or its turn comes with the next loop
    }
  };
  const lines = (text) => text.split('\n').filter(Boolean);
  const containers = new Set(lines(docker('ps', '-aq', '--no-trunc', '--filter', `network=${network}`)));
  if (installation) {
    for (const id of lines(docker('ps', '-aq', '--no-trunc', '--filter', `label=agentdb9.instance=${installation}`))) containers.add(id);
  }
  if (containers.size > 0) docker('rm', '-f', ...containers);
  if (installation) {
    const volumes = lines(docker('volume', 'ls', '-q', '--filter', `label=agentdb9.instance=${installation}`));
    if (volumes.length > 0) docker('volume', 'rm', '-f', ...volumes);
  }
  const id = docker('network', 'inspect', '-f', '{{.Id}}', network).trim();
  docker('network', 'rm', network);
  if (id) removeFirewall(`br-${id.slice(0, 12)}`);
}

/** A server puts rules in force for its network; the next one would remove them. */
function removeFirewall(bridge) {
  try {
    execFileSync('nft', ['delete', 'table', 'inet', `agentdb9.${bridge}`], { stdio: 'ignore' });
  } catch {
    // there are none, or it is not for us to say
  }
}
