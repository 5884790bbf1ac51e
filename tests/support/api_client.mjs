// Requests as one caller of the server's API, over connections that are kept. Every answer of the API is held
// against the document that the server itself serves.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';

/** What came back: `body` is the parsed JSON, undefined where there is none. */
export class Answer {
  constructor(response, bytes) {
    this.status = response.statusCode;
    this.headers = response.headers;
    this.rawHeaders = response.rawHeaders;
    this.bytes = bytes;
    this.text = bytes.toString();
    if ((this.headers['content-type'] ?? '').startsWith('application/json') && bytes.length > 0) {
      this.body = JSON.parse(this.text);
    }
  }
  get data() {
    return this.body?.data;
  }
  get code() {
    return this.body?.code;
  }
  /** Asserts the status, with the whole answer in the message; returns the answer. */
  expect(status, code) {
    assert.equal(this.status, status, `expected ${status}, got ${this.status}: ${this.text.slice(0, 600)}`);
    if (code !== undefined) assert.equal(this.code, code, this.text.slice(0, 600));
    return this;
  }
}

/** One HTTP exchange. `json` is sent as JSON, `body` as it is (text or bytes). */
export function exchange(origin, method, path, { json, body, headers = {}, agent, timeout = 90_000, ca } = {}) {
  const url = new URL(origin);
  const payload = json !== undefined ? JSON.stringify(json) : body;
  const all = { ...headers };
  const has = (name) => Object.keys(all).some((each) => each.toLowerCase() === name);
  if (json !== undefined && !has('content-type')) all['Content-Type'] = 'application/json';
  if (payload !== undefined && !has('content-length') && !has('transfer-encoding')) all['Content-Length'] = Buffer.byteLength(payload);
  return new Promise((resolve, reject) => {
    const start = url.protocol === 'https:' ? secureRequest : request;
    const call = start({ host: url.hostname, port: url.port, method, path, headers: all, agent, timeout, ...(ca ? { ca } : {}) }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => resolve(new Answer(response, Buffer.concat(pieces))));
    });
    call.on('timeout', () => call.destroy(new Error(`${method} ${path}: no answer within ${timeout} ms`)));
    call.on('error', reject);
    call.end(payload);
  });
}

export class ApiClient {
  /** `user`: as the server told it at the login; without a token the caller is nobody. */
  constructor(server, { token, refreshToken, user, password } = {}) {
    Object.assign(this, { server, token, refreshToken, user, password });
  }

  async send(method, path, options = {}) {
    const headers = { ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}), ...options.headers };
    for (const [name, value] of Object.entries(headers)) if (value === undefined) delete headers[name];
    const answer = await exchange(this.server.api, method, path, { agent: this.server.agent, ...options, headers });
    this.server.contract?.check(method, path, options, answer);
    return answer;
  }
  get(path, options) {
    return this.send('GET', path, options);
  }
  post(path, json, options) {
    return this.send('POST', path, { json, ...options });
  }
  put(path, json, options) {
    return this.send('PUT', path, { json, ...options });
  }
  patch(path, json, options) {
    return this.send('PATCH', path, { json, ...options });
  }
  delete(path, options) {
    return this.send('DELETE', path, options);
  }

  /** The same server with another token. */
  with(token) {
    return new ApiClient(this.server, { token });
  }

  // The steps that most tests begin with.
  async createProject(fields = {}) {
    return (await this.post('/api/projects', { name: 'project', ...fields })).expect(201).data;
  }
  async createWorkspace(fields = {}) {
    return (await this.post('/api/workspaces', { type: 'spreadsheet', ...fields })).expect(201).data;
  }
  async start(workspaceId) {
    return (await this.post(`/api/workspaces/${workspaceId}/start`)).expect(200).data;
  }
  async stop(workspaceId) {
    return (await this.post(`/api/workspaces/${workspaceId}/stop`)).expect(200).data;
  }
  async switchProject(workspaceId, projectId) {
    return (await this.post(`/api/workspaces/${workspaceId}/switch-project`, { projectId })).expect(200).data;
  }

  // The application behind the server's proxy. What it answers is its own: no document speaks of it.
  application(method, workspaceId, path, options = {}) {
    const headers = { Authorization: `Bearer ${this.token}`, ...options.headers };
    return exchange(this.server.api, method, `/api/workspaces/${workspaceId}/proxy${path}`, { agent: this.server.agent, ...options, headers });
  }
  async writeFile(workspaceId, name, content) {
    (await this.application('PUT', workspaceId, `/files/${name}`, { body: content })).expect(201);
  }
  async readFile(workspaceId, name) {
    return (await this.application('GET', workspaceId, `/files/${name}`)).expect(200).text;
  }
  async files(workspaceId) {
    return (await this.application('GET', workspaceId, '/files/')).expect(200).body.sort();
  }
}
