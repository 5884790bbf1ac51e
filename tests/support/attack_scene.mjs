// Where attacks are tried: a server, Alice's workspace, and Mallory, who has one of his own and wants hers. Their
// applications write down whatever reaches them.
import assert from 'node:assert/strict';

import { cookieOf, hostOf, visit, withAppsDomain } from './application_hosts.mjs';
import { head, RawConnection } from './raw_http.mjs';
import { startServer, testType } from './server.mjs';

/** Both ways in which applications have an origin: paths of one, or a host name each. */
export const styles = ['paths', 'host names'];

/** The targets of what an application has received. */
export const urls = (requests) => requests.map((each) => each.url);

class Person {
  constructor(client, workspace) {
    Object.assign(this, { client, workspace });
    this.bearer = `Authorization: Bearer ${client.token}`;
  }
  /** The same one at another workspace. */
  with(workspace) {
    return new Person(this.client, workspace);
  }
}

export class Scene {
  /** `style`: one of `styles`; `toml`: more sections. */
  static async start(style, { toml = '' } = {}) {
    const scene = new Scene();
    scene.style = style;
    scene.server = await startServer({
      types: false, toml: testType('spreadsheet', { RECORD: 1 }, 'command = []') + toml,
      environment: style === 'host names' ? withAppsDomain : {},
    });
    try {
      for (const name of ['alice', 'mallory']) {
        const client = await scene.server.user(name);
        scene[name] = new Person(client, await client.createWorkspace());
      }
      await Promise.all([scene.alice, scene.mallory].map(({ client, workspace }) => client.start(workspace.id)));
    } catch (error) {
      await scene.server.close();
      throw error;
    }
    return scene;
  }
  close() {
    return this.server?.close();
  }

  // Places: what a request is sent to, the Host that it names, and its target.
  /** A path of somebody's application on the applications' origin. */
  at({ workspace }, path = '/', port = 8080) {
    const origin = this.server.apps;
    if (this.style === 'host names') return { origin, host: hostOf(this.server, workspace, port), target: path };
    return { origin, host: new URL(origin).host, target: `/${workspace.id}/${port}${path}` };
  }
  /** A path of the API's origin. */
  atApi(target) {
    return { origin: this.server.api, host: new URL(this.server.api).host, target };
  }
  /** Every door of the API's origin to somebody's application. */
  apiDoors({ workspace: { id } }, path = '/') {
    return [`/api/workspaces/${id}/proxy`, `/api/workspaces/${id}/ports/8080`, `/workspace-proxy/${id}`].map((door) => this.atApi(door + path));
  }

  /** A request's text; `headers`: lines. */
  text(method, place, headers = []) {
    return head(method, place.target, [`Host: ${place.host}`, ...headers]);
  }
  /** One request; its answer. A 101 is one, too. */
  async ask(place, headers = [], { method = 'GET' } = {}) {
    const connection = new RawConnection(place.origin);
    try {
      await connection.write(Buffer.from(this.text(method, place, headers), 'latin1'));
      const answer = await connection.answer();
      assert.ok(answer, `no answer to ${method} ${place.target}`);
      return answer;
    } finally {
      connection.close();
    }
  }

  /** A fresh ticket's whole address. */
  async ticket({ client, workspace }, body = {}) {
    return (await client.post(`/api/workspaces/${workspace.id}/proxy-ticket`, body)).expect(201).data.url;
  }
  /** Opens an address as a browser does. */
  visit(url, headers = {}) {
    return visit(this.server, url, { headers });
  }
  /** "Cookie: name=value" of one who has opened their own application. */
  async cookie(person) {
    return `Cookie: ${cookieOf((await this.visit(await this.ticket(person))).expect(303))}`;
  }

  /** "name=value" of the cookie in which the server's own page keeps a session of this person. */
  async sessionCookie({ client }) {
    const login = { email: client.user.email, password: client.password, cookie: true };
    return cookieOf((await this.server.nobody().post('/api/auth/login', login, { headers: { Origin: this.server.api } })).expect(200));
  }
  async apiToken({ client }) {
    return (await client.post('/api/auth/tokens', { name: 'attacks' })).expect(201).data.token;
  }

  /** What a person's application has received, from the first request to the last. */
  async received({ client, workspace }) {
    const { body } = (await client.application('GET', workspace.id, '/received')).expect(200);
    assert.ok(Array.isArray(body), 'this test application keeps no record: build it anew by scripts/images testapp');
    return body;
  }
  /** Runs `attack`, and answers what reached Alice's and Mallory's applications meanwhile. */
  async witness(attack) {
    const people = [this.alice, this.mallory];
    const before = await Promise.all(people.map((each) => this.received(each)));
    const result = await attack();
    const [alice, mallory] = (await Promise.all(people.map((each) => this.received(each)))).map((all, i) => all.slice(before[i].length));
    return { result, alice, mallory };
  }

  /**
   * Runs every case, by its name: [attack, status, code, heard]. The answer has the status, and the code where there
   * is one; what Mallory's application hears of it are the targets `heard`, or nothing; Alice's never hears of any.
   */
  async table(cases) {
    for (const [what, [attack, status, code, heard = []]] of Object.entries(cases)) {
      const seen = await this.witness(attack);
      assert.equal(seen.result.status, status, `${what}: ${seen.result.text.slice(0, 300)}`);
      if (code) assert.equal(seen.result.code, code, what);
      assert.deepEqual(urls(seen.alice), [], `${what} reached her application`);
      assert.deepEqual(urls(seen.mallory), heard, what);
    }
  }

  /** After all attacks. */
  async isWell() {
    (await this.mallory.client.get('/readyz')).expect(200);
    assert.deepEqual(this.server.log.filter((each) => each.level === 'error'), []);
  }
}

