// A Prometheus of the test's own, with the rules of deploy/monitoring, that scrapes one server each second.
//
//   const prometheus = await startPrometheus('http://127.0.0.1:8000');
//   after(() => prometheus.close());
//   await prometheus.query('up')                   // [{ metric: {…}, value: [time, '1'] }]
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { eventually } from './eventually.mjs';

export const monitoring = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url));

/** What promtool says; throws with that where it finds something wrong. */
export function promtool(words, input) {
  return execFileSync('promtool', words, { cwd: monitoring, encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });
}

const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

class Prometheus {
  constructor(directory, port) {
    this.directory = directory;
    this.url = `http://127.0.0.1:${port}`;
    this.process = spawn('prometheus', [`--config.file=${join(directory, 'prometheus.yaml')}`, `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.said = '';
    this.process.stderr.on('data', (text) => { this.said = (this.said + text).slice(-4000); });
    this.exited = new Promise((resolve) => this.process.on('close', resolve));
    this.gone = false;
    this.exited.then(() => { this.gone = true; });
  }

  async get(path) {
    const response = await fetch(this.url + path);
    const answer = await response.json();
    if (answer.status !== 'success') throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer.data;
  }

  async query(expression) {
    return (await this.get(`/api/v1/query?query=${encodeURIComponent(expression)}`)).result;
  }

  async close() {
    this.process.kill('SIGKILL');
    await this.exited;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function startPrometheus(target) {
  const directory = mkdtempSync(join(tmpdir(), 'agentdb9-prometheus-'));
  const settings = readFileSync(join(monitoring, 'prometheus.yaml'), 'utf8')
    .replaceAll('15s', '1s').replace('127.0.0.1:8000', new URL(target).host).replace('alerts.yaml', join(monitoring, 'alerts.yaml'));
  writeFileSync(join(directory, 'prometheus.yaml'), settings);
  const prometheus = new Prometheus(directory, await freePort());
  try {
    await eventually('Prometheus to answer', async () => {
      if (prometheus.gone) throw new Error(`Prometheus ended: ${prometheus.said}`);
      return fetch(`${prometheus.url}/-/ready`).then((answer) => answer.ok, () => false);
    }, { within: 60_000 });
  } catch (error) {
    await prometheus.close();
    throw error;
  }
  return prometheus;
}
