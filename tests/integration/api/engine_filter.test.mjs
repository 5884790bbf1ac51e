// The filter of deploy/ before the engine: it lets through all that the server does, and nothing else.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { engineSocket } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

const config = fileURLToPath(new URL('../../../deploy/engine-filter/haproxy.cfg', import.meta.url));

describe('the engine filter', { skip: engineSocket ? false : 'the engine is not reached by a socket' }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'agentdb9-filter-'));
  const socketPath = join(directory, 'docker.sock');
  let filter;
  let server;
  before(async () => {
    const text = readFileSync(config, 'utf8')
      .replace('unix@/filtered/docker.sock', `unix@${socketPath}`)
      .replace('gid 990', `gid ${process.getgid()}`)
      .replace('unix@/engine/docker.sock', `unix@${engineSocket}`);
    writeFileSync(join(directory, 'haproxy.cfg'), text);
    filter = spawn('haproxy', ['-db', '-f', join(directory, 'haproxy.cfg')], { stdio: 'ignore' });
    await eventually('the filter to answer', async () => (await call('GET', '/_ping')) === 200, { within: 10_000 });
    server = await startServer({ environment: { AGENTDB9_DOCKER_HOST: `unix://${socketPath}` } });
  });
  after(async () => {
    await server?.close();
    filter?.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  const call = (method, path) => new Promise((resolve, reject) => {
    const it = request({ socketPath, method, path, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    it.on('error', reject);
    it.end();
  });

  test('lets through a workspace\'s whole life, and a backup', async () => {
    const user = await server.user('filtered');
    const [first, second] = [await user.createProject({ name: 'first' }), await user.createProject({ name: 'second' })];
    const { id } = (await user.post('/api/workspaces', { type: 'vscode', projectId: first.id })).expect(201).data;
    (await user.post(`/api/workspaces/${id}/start`)).expect(200);
    await user.writeFile(id, 'note', 'through the filter');
    (await user.post(`/api/projects/${first.id}/backups`, { pause: true })).expect(201);
    const said = (await user.post(`/api/workspaces/${id}/exec`, { command: ['cat', 'note'] })).expect(200).data;
    assert.deepEqual([said.exitCode, said.stdout], [0, 'through the filter']);
    // HAProxy passes no input on: that is said, and nothing is left that waits for it.
    (await user.post(`/api/workspaces/${id}/exec`, { command: ['cat'], stdin: 'lost' })).expect(409, 'no_input');
    const [{ Id }] = await server.engine.running(id);
    assert.ok(!execFileSync('docker', ['top', Id, '-eo', 'pid,args'], { encoding: 'utf8' }).includes('cat'));
    const changed = (await user.put(`/api/workspaces/${id}`, { resourceLimits: { pids: 100 } })).expect(200).body;
    assert.deepEqual(changed.appliesAt, { pids: 'now' });
    await user.switchProject(id, second.id);
    assert.deepEqual((await user.files(id)).includes('note'), false);
    const files = (await user.get(`/api/projects/${first.id}/files`)).expect(200);
    assert.match(files.text, /note/);
    // What happens behind the server's back is heard.
    const [container] = await server.engine.running(id);
    await server.engine.kill(container.Id);
    await eventually('it to be made again', async () => (await user.application('GET', id, '/')).status === 200, { within: 20_000 });
    (await user.post(`/api/workspaces/${id}/stop`)).expect(200);
    (await user.delete(`/api/workspaces/${id}`)).expect(200);
    (await user.delete(`/api/projects/${first.id}`)).expect(200);
  });

  test('refuses what the server never asks for', async () => {
    for (const [method, path] of [
      ['POST', '/exec/any/json'], ['POST', '/exec/any/../start'], ['POST', '/containers/any/attach'], ['POST', '/build'],
      ['POST', '/images/load'], ['DELETE', '/images/any'], ['POST', '/containers/prune'], ['POST', '/volumes/prune'], ['POST', '/swarm/init'],
      ['GET', '/secrets'], ['POST', '/plugins/pull'], ['POST', '/commit'], ['GET', '/containers/any/export'], ['PUT', '/containers/any/update'],
      ['DELETE', '/networks/any'], ['GET', '/containers/json/../../secrets'], ['GET', '/containers/%2e%2e/secrets'], ['GET', '//secrets'],
      ['PUT', '/containers/any/json'], ['PATCH', '/info'], ['POST', '/session'],
    ]) assert.equal(await call(method, path), 403, `${method} ${path}`);
  });
});
