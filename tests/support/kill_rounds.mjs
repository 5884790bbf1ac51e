// Rounds of kill -9 at random moments. A few clients work on workspaces and projects without a pause; in the middle
// of that a server dies, or several; then what is there is laid beside what the clients were told:
//
//   - within five seconds every workspace is at rest or at work again, as it was asked for last; what nobody
//     answered may have happened or not, but nothing in between;
//   - every file whose writing was answered is there with its content, in every project, also those in the trash;
//   - the engine has no container and no volume without an owner;
//   - at no moment two containers that run have one volume.
//
// `servers` are started and share one database; `victims(servers, random)` says who dies in a round. Where nobody
// survives, the dead are started again before the look; where somebody does, the survivors have to do it.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import { ApiClient } from './api_client.mjs';
import { filesOf } from './engine.mjs';
import { eventually } from './eventually.mjs';
import { noVolumeIsSharedDuring } from './killable.mjs';
import { Random } from './random.mjs';

const types = ['spreadsheet', 'spreadsheet', 'vscode', 'notebook'];
const projectCount = 6;
const longestWork = 1200;  // ms until somebody dies
// What a request may be answered with besides success, when others work on the same at the same time.
const refusals = new Set(['project_in_use', 'incompatible_type', 'project_not_found', 'volume_not_found', 'operation_superseded', 'volume_in_use', 'volume_being_purged', 'already_restored']);

/** What a client knows of a workspace: how it may be. More than one way where an answer is missing. */
class Workspace {
  constructor(row) {
    this.id = row.id;
    this.type = row.type;
    this.may = [{ exists: true, running: false, project: row.currentProjectId }];
  }
  // `change`: what a request makes of it.
  asked(change) {
    this.may.push(...this.may.filter((each) => each.exists).map((each) => ({ ...each, ...change })));
  }
  known(change) {
    const [before] = this.may;
    this.may = [{ ...before, ...change }];
  }
}

class Rounds {
  constructor({ servers, seed, victims = (all) => all, tell = () => {}, within = 5000 }) {
    Object.assign(this, { servers, seed, victims, tell, within });
    this.random = new Random(seed);
    this.workspaces = [];
    this.projects = new Map();  // id → { volume, files: Map, maybe: Map, state: 'there' | 'trashed' | 'either' | 'purged' }
    this.serial = 0;
    this.slowest = 0;
    this.counts = { acknowledged: 0, cut: 0, refused: 0 };
  }
  get engine() {
    return this.servers[0].engine;
  }
  get alive() {
    return this.servers.filter((each) => each.process.exitCode === null && each.process.signalCode === null && !each.dying);
  }
  /** The user, by any server that lives. */
  get user() {
    const server = this.random.of(this.alive);
    if (!server) throw new Error('every server is dead');
    return new ApiClient(server, { token: this.account.token });
  }

  async open() {
    this.account = await this.servers[0].user('rounds');
    for (let i = 0; i < projectCount; ++i) await this.makeProject();
    for (const type of types) this.workspaces.push(new Workspace(await this.user.createWorkspace({ type })));
  }
  async makeProject() {
    const row = await this.user.createProject({ name: `project ${++this.serial}` });
    this.projects.set(row.id, { id: row.id, volume: row.volumeName ?? `agentdb9-project-${row.id}`, files: new Map(), maybe: new Map(), state: 'there' });
  }

  // Sends a request; answers whether it was answered: undefined when it was cut off or refused.
  async send(request) {
    let answer;
    try {
      answer = await request();
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      ++this.counts.cut;
      return undefined;
    }
    if (answer.status === 202 || ([400, 404, 409].includes(answer.status) && refusals.has(answer.code))) {
      ++this.counts.refused;
      return undefined;
    }
    if (answer.status === 503 || answer.status === 502) return undefined;
    assert.ok(answer.status < 300, `${answer.status} ${answer.text.slice(0, 400)}`);
    ++this.counts.acknowledged;
    return answer;
  }

  async change(workspace, change, request) {
    workspace.asked(change);
    const answer = await this.send(request);
    if (answer) workspace.known(change);
    return answer;
  }

  // One client: what it does next with its workspace.
  async work(workspace) {
    const { random, user } = this;
    const [now] = workspace.may;
    if (workspace.may.length > 1 || !now.exists) return;  // what is the case is looked at after the round
    const path = `/api/workspaces/${workspace.id}`;
    const die = random.next();
    const others = [...this.projects.values()].filter((each) => each.state === 'there');
    if (now.running && die < 0.3) return this.write(workspace);
    if (die < 0.45) return this.change(workspace, { running: true }, () => user.post(`${path}/start`));
    if (die < 0.55) return this.change(workspace, { running: false }, () => user.post(`${path}/stop${random.chance(0.3) ? '?force=true' : ''}`));
    if (die < 0.65) return this.change(workspace, { running: true }, () => user.post(`${path}/restart`));
    if (die < 0.95) {
      const project = random.of(others);
      return this.change(workspace, { project: project.id }, () => user.post(`${path}/switch-project`, { projectId: project.id }));
    }
    return this.change(workspace, { exists: false }, () => user.delete(`${path}${random.chance(0.3) ? '?force=true' : ''}`));
  }

  // A file in the project that the workspace has at this moment, as its application says.
  async write(workspace) {
    const { user } = this;
    const env = await this.send(() => user.application('GET', workspace.id, '/env'));
    const project = env && this.projects.get(env.body.PROJECT_ID ?? env.body.env?.PROJECT_ID);
    if (!project) return;
    const name = `f${++this.serial}`;
    const content = `${name} ${this.random.next()} `.repeat(1 + this.random.below(200));
    project.maybe.set(name, content);
    const answer = await this.send(() => user.application('PUT', workspace.id, `/files/${name}`, { body: content }));
    if (answer) {
      project.files.set(name, content);
      project.maybe.delete(name);
    }
  }

  // The client that looks after projects: deletes them, brings them back, and now and then removes one for good.
  async tend() {
    const { random, user } = this;
    const project = random.of([...this.projects.values()].filter((each) => each.state !== 'purged' && each.state !== 'either'));
    if (project.state === 'there') {
      const there = [...this.projects.values()].filter((each) => each.state === 'there').length;
      if (there < 4) return this.makeProject().catch((error) => this.cutOrThrow(error));
      project.state = 'either';
      const answer = await this.send(() => user.delete(`/api/projects/${project.id}`));
      if (answer) {
        project.state = 'trashed';
        this.forget(project);
      }
      return;
    }
    const trash = await this.send(() => user.get('/api/trash'));
    const tombstone = trash?.data.find((each) => each.ownerId === project.id);
    if (!tombstone) return;
    if (random.chance(0.7)) {
      project.state = 'either';
      if (await this.send(() => user.post(`/api/trash/${tombstone.id}/restore`))) project.state = 'there';
    } else {
      project.purging = true;
      if (await this.send(() => user.delete(`/api/trash/${tombstone.id}`))) project.state = 'purged';
    }
  }
  cutOrThrow(error) {
    if (error instanceof assert.AssertionError && !/got 50[23]/.test(error.message)) throw error;
    ++this.counts.cut;
  }
  // A workspace that had the project has none now.
  forget(project) {
    for (const workspace of this.workspaces) for (const each of workspace.may) if (each.project === project.id) each.project = null;
  }

  async round(number) {
    const { random } = this;
    let ended = false;
    const client = async (step) => {
      while (!ended) {
        await step();
        await pause(random.below(50));
      }
    };
    const victims = this.victims(this.servers, random);
    const survivors = this.servers.filter((each) => !victims.includes(each));
    const began = await noVolumeIsSharedDuring(this.engine, async () => {
      const clients = [...this.workspaces.map((each) => client(() => this.work(each))), client(async () => {
        await this.tend();
        await pause(random.below(200));
      })];
      const all = Promise.all(clients);
      await Promise.race([all, pause(random.below(longestWork))]);
      ended = true;
      for (const each of victims) each.dying = true;
      await Promise.all(victims.map((each) => each.kill()));
      const died = Date.now();
      await all;
      for (const each of victims) each.dying = false;
      if (survivors.length === 0) await Promise.all(victims.map((each) => each.restart()));
      await this.look(died);
      return died;
    });
    if (survivors.length > 0) await Promise.all(victims.map((each) => each.restart()));
    await this.nothingIsLeft();
    await this.filesAreThere();
    await this.goOn();
    return Date.now() - began;
  }

  // Every workspace is as it may be, and the engine with it.
  async look(since) {
    const restored = Date.now();
    for (const workspace of this.workspaces) {
      const left = Math.max(1, this.within - (Date.now() - restored));
      workspace.now = await eventually(`${workspace.type} ${workspace.id} as it may be: ${JSON.stringify(workspace.may)}`, () => this.settled(workspace), { within: left });
    }
    this.slowest = Math.max(this.slowest, Date.now() - since);
  }
  async settled(workspace) {
    const { user } = this;
    const answer = await user.get(`/api/workspaces/${workspace.id}`);
    const containers = await this.engine.containers(workspace.id);
    if (answer.status === 404) {
      if (!workspace.may.some((each) => !each.exists)) assert.fail('it is gone');
      assert.deepEqual(containers.map((each) => each.Names), []);
      return { exists: false };
    }
    const row = answer.expect(200).data;
    const operations = (await user.get(`/api/workspaces/${workspace.id}/operations?limit=3`)).expect(200).data;
    const seen = JSON.stringify({ phase: row.phase, project: row.currentProjectId, operations: operations.map(({ kind, state, error }) => [kind, state, error]), containers: containers.map(({ Names, State, Status }) => [Names, State, Status]) });
    if (operations.some((each) => ['pending', 'running'].includes(each.state))) throw new Error(`an operation is open: ${seen}`);
    if (!['running', 'stopped'].includes(row.phase)) throw new Error(`its phase: ${seen}`);
    const now = { exists: true, running: row.phase === 'running', project: row.currentProjectId };
    const running = containers.filter((each) => each.State === 'running');
    if (containers.length > 1 || running.length !== (now.running ? 1 : 0)) throw new Error(`its containers: ${seen}`);
    const possible = workspace.may.filter((each) => each.exists && each.running === now.running);
    // A start gives a project to a workspace without one; the deletion of a project takes it away.
    const right = possible.some((each) => each.project === now.project || each.project === null || now.project === null || this.projects.get(each.project)?.state !== 'there');
    if (!right) throw new Error(`it is not as it may be: ${seen}`);
    if (now.running) {
      const project = (await user.get(`/api/projects/${now.project}`)).expect(200).data;
      assert.ok(running[0].Mounts.some((each) => each.Name === project.volumeName), `its volume: ${seen}`);
      assert.ok(running[0].Names.includes(`/agentdb9-workspace-${workspace.id}`), `its name: ${seen}`);
      (await user.application('GET', workspace.id, '/files/')).expect(200);
      if (!this.projects.has(project.id)) this.projects.set(project.id, { id: project.id, volume: project.volumeName, files: new Map(), maybe: new Map(), state: 'there' });
    }
    return now;
  }

  async filesAreThere() {
    for (const project of this.projects.values()) {
      if (project.state === 'purged') {
        assert.ok(!(await this.engine.volumeExists(project.volume)), `${project.volume} was removed for good`);
        continue;
      }
      if (!(await this.engine.volumeExists(project.volume))) {
        assert.ok(project.purging || project.files.size === 0, `${project.volume} is lost, with ${project.files.size} files`);
        if (project.purging) project.state = 'purged';
        continue;
      }
      const files = await filesOf(project.volume);
      for (const [name, content] of project.files) assert.equal(files[name], content, `${name} in ${project.volume}`);
      for (const [name, content] of project.maybe) {
        // The whole was written, or some of it, or nothing; nobody was told.
        if (files[name] !== undefined) assert.ok(content.startsWith(files[name]), `${name} in ${project.volume}`);
        project.maybe.delete(name);
      }
      for (const name of Object.keys(files)) {
        if (/^f\d+$/.test(name) && !project.files.has(name)) project.files.set(name, files[name]);
      }
    }
  }

  async nothingIsLeft() {
    const { user } = this;
    await eventually('nothing to be left over', async () => {
      const all = async (path) => (await user.get(path)).expect(200).data;
      const [workspaces, projects, trash] = [await all('/api/workspaces'), await all('/api/projects'), await all('/api/trash')];
      const owned = new Set([...projects, ...workspaces, ...trash].map((each) => each.volumeName).filter(Boolean));
      // A volume is made a moment before its row says so; the project's id stands in its name.
      for (const each of projects) owned.add(`agentdb9-project-${each.id}`);
      for (const each of await this.engine.volumes()) assert.ok(owned.has(each), `${each} has an owner`);
      const ids = new Set(workspaces.map((each) => each.id));
      for (const each of await this.engine.containers()) assert.ok(ids.has(each.Labels['agentdb9.workspace.id']), `${each.Names} has a workspace`);
      const there = new Set(projects.map((each) => each.id));
      const trashed = new Map(trash.map((each) => [each.ownerId, each]));
      for (const project of this.projects.values()) {
        if (project.state === 'purged') continue;
        if (there.has(project.id)) {
          assert.ok(project.state !== 'trashed', `${project.id} was deleted`);
          project.state = 'there';
        } else if (trashed.has(project.id)) {
          assert.ok(project.state !== 'there', `${project.id} was not deleted`);
          project.state = 'trashed';
          this.forget(project);
        } else {
          assert.ok(project.purging, `${project.id} is neither there nor in the trash`);
          project.state = 'purged';
        }
      }
      return true;
    }, { within: this.within });
  }

  // What was seen is what is known from now on; for what is gone something new is made.
  async goOn() {
    for (const workspace of this.workspaces) if (workspace.now.exists) workspace.may = [workspace.now];
    const gone = this.workspaces.filter((each) => !each.now.exists);
    this.workspaces = this.workspaces.filter((each) => each.now.exists);
    for (const each of gone) this.workspaces.push(new Workspace(await this.user.createWorkspace({ type: each.type })));
    // A purge that was asked for and died with its server may end later.
    for (const [id, project] of this.projects) if (project.state === 'purged') this.projects.delete(id);
    while ([...this.projects.values()].filter((each) => each.state === 'there').length < 4) await this.makeProject();
  }
}

/** Answers `{rounds, slowest, acknowledged, cut, refused}`; throws at the first thing that is not as it must be. */
export async function killRounds({ rounds, ...options }) {
  const all = new Rounds(options);
  await all.open();
  for (let number = 1; number <= rounds; ++number) {
    try {
      await all.round(number);
    } catch (error) {
      error.message = `round ${number} of seed ${options.seed}: ${error.message}`;
      throw error;
    }
    all.tell(number, all);
  }
  return { rounds, slowest: all.slowest, ...all.counts };
}

/** Who dies in a round of several servers: one, any one, or all of them at the same moment. */
export function someOf(servers, random) {
  return random.chance(0.2) ? servers : [random.of(servers)];
}
