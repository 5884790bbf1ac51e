// What the page does: sign in, look at the server's state while the page is seen, and ask for changes.
import { call, list, Problem, resume, session, sign_in, sign_out, Unreachable } from './api.js';
import {
  $, confirmed, day, is_busy, on_submit, project_options, sentence_of, show_projects, show_trash, show_type_choices, show_workspaces, tell_news,
  tell_problem,
} from './views.js';

const kBusyPause = 500;
const kCalmPause = 4000;
const kLostPause = 1500;

// How each change is told: while it is under way, when it is done, when it is not.
const kChanges = {
  start: { phase: 'queued', done: (name) => `${name} is running.`, failed: 'could not be started' },
  stop: { phase: 'stopping', done: (name) => `${name} has stopped. Its files are in its project.`, failed: 'could not be stopped' },
  restart: { phase: 'queued', done: (name) => `${name} is running again.`, failed: 'could not be restarted' },
  switch: { phase: 'switching', done: (name, project) => `${name} works on ${project} now.`, failed: 'could not switch its project' },
  delete: { phase: 'deleting', done: (name) => `${name} is deleted. The files of its project stay.`, failed: 'could not be deleted' },
};

const state = { user: undefined, types: [], workspaces: [], projects: [], trash: [] };
const changes = new Map();  // workspace id → the change that this tab asked for last
const details = new Map();  // workspace id → what its status told last, while it is busy
let reading = 0;            // the latest reading of the lists; older ones count no more
let read_at = -kCalmPause;
let timer;

const path_of = (id) => `/api/workspaces/${id}`;
const workspace_of = (id) => state.workspaces.find((each) => each.id === id);

// A workspace as the server told it last, in its list or its status. Between the click and the server's first
// word the page says what was asked for.
function as_seen(workspace) {
  const change = changes.get(workspace.id);
  const asked = change && !change.operation ? { phase: kChanges[change.kind].phase } : {};
  return { ...workspace, ...asked, ...details.get(workspace.id), wantedProjectId: change?.projectId };
}

const all_as_seen = () => ({ ...state, workspaces: state.workspaces.map(as_seen) });

function show() {
  if (!state.user) return;
  const seen = all_as_seen();
  show_workspaces(seen);
  show_projects(seen);
  show_trash(seen);
}

async function read_all() {
  const mine = ++reading;
  const [workspaces, projects, trash] = await Promise.all([list('/api/workspaces'), list('/api/projects'), list('/api/trash')]);
  if (mine !== reading) return;
  Object.assign(state, { workspaces, projects, trash });
  read_at = performance.now();
  for (const [id, change] of changes) {
    if (change.kind !== 'delete' || !change.operation || workspace_of(id)) continue;
    changes.delete(id);
    tell_news(kChanges.delete.done(change.name));
  }
  for (const { id, phase } of workspaces) if (details.has(id) && !changes.has(id) && phase !== details.get(id).phase) details.delete(id);
  show();
}

const read_types = async () => (state.types = (await call('GET', '/api/workspaces/types')).data);

// Looks as long as the page is seen: at what is under way often, at all else now and then.
async function look() {
  let pause = kCalmPause;
  try {
    if (state.types.length === 0) await read_types();
    const under_way = () => all_as_seen().workspaces.filter((each) => is_busy(each) || changes.has(each.id));
    // That a workspace is gone is told by the list.
    const deleting = [...changes.values()].some((each) => each.kind === 'delete');
    if (performance.now() - read_at >= kCalmPause || deleting || under_way().length === 0) await read_all();
    await Promise.all(under_way().map(follow));
    if (under_way().length > 0) pause = kBusyPause;
  } catch (problem) {
    if (!(problem instanceof Problem) && !(problem instanceof Unreachable)) console.error(problem);
    pause = kLostPause;
  }
  look_after(pause);
}

function look_after(pause) {
  clearTimeout(timer);
  if (state.user && !document.hidden) timer = setTimeout(look, pause);
}

async function follow(workspace) {
  const { id } = workspace;
  const change = changes.get(id);
  if (change && !change.operation) return;  // its answer is on the way
  if (workspace.phase === 'deleting') return;
  const status = (await call('GET', `${path_of(id)}/status`)).data;
  if (changes.get(id) !== change) return;  // something else was asked for meanwhile
  details.set(id, { phase: status.phase, progress: status.operation?.progress, engineSilent: status.health === 'unknown' });
  let operation = status.operation;
  if (change && operation?.id !== change.operation) {
    const recent = (await call('GET', `${path_of(id)}/operations?limit=20`)).data;
    operation = recent.find((each) => each.id === change.operation);
    if (changes.get(id) !== change) return;
  }
  if (['pending', 'running'].includes(operation?.state)) return show();
  details.delete(id);
  if (change) {
    changes.delete(id);
    tell_end(change, operation);
  }
  await read_all();
}

function tell_end(change, operation) {
  const words = kChanges[change.kind];
  if (operation?.state === 'succeeded') tell_news(words.done(change.name, change.project));
  else if (operation?.state === 'failed') tell_problem(`${change.name} ${words.failed}: ${operation.error}`, change.requestId);
  else tell_news(`${change.name}: a newer request took the place of this one.`);
}

/** Asks for a change of a workspace and shows it at once; how it ends is told when it has ended. */
async function ask_for(kind, id, method, path, json, project) {
  const change = { kind, name: workspace_of(id).name, projectId: project?.id, project: project?.name };
  changes.set(id, change);
  details.delete(id);
  ++reading;
  show();
  try {
    const answer = await call(method, path_of(id) + path, json, { Prefer: 'respond-async' });
    if (changes.get(id) !== change) return;
    change.requestId = answer.requestId;
    read_at = -kCalmPause;
    if (answer.data?.state) change.operation = answer.data.id;
    else {
      changes.delete(id);
      tell_end(change, { state: 'succeeded' });
      await read_all();
    }
  } catch (problem) {
    if (changes.get(id) !== change) return;
    changes.delete(id);
    tell_problem(`${change.name} ${kChanges[kind].failed}: ${problem.message}`, problem.requestId);
    show();
    await read_all().catch(() => {});
  }
  look_after(0);
}

/** Asks for something that is done when it is answered. */
async function do_now(what, method, path, json, done) {
  try {
    const answer = await call(method, path, json);
    await read_all();
    tell_news(done(answer));
  } catch (problem) {
    tell_problem(`${what}: ${problem.message}`, problem.requestId);
  }
}

// The tab is opened in the click itself: a browser blocks one that comes later.
async function open_application(workspace) {
  const tab = window.open('about:blank', '_blank');
  if (!tab) return tell_problem('The browser blocked the new tab: allow pop-ups for this page.');
  tab.opener = null;
  tab.document.title = `Opening ${workspace.name}…`;
  try {
    tab.location.replace((await call('POST', `${path_of(workspace.id)}/proxy-ticket`, {})).data.url);
  } catch (problem) {
    tab.close();
    tell_problem(`${workspace.name} could not be opened: ${problem.message}`, problem.requestId);
  }
}

/**
 * Whoever came to an application's own address without having signed in there was sent here: "#open=WORKSPACE/PORT".
 * They are asked, since anybody may make such a link.
 */
async function open_what_was_asked_for() {
  const [, id, port] = location.hash.match(/^#open=([0-9a-f-]{36})\/(\d{1,5})$/) ?? [];
  if (!id) return;
  history.replaceState(null, '', location.pathname);
  const name = workspace_of(id)?.name ?? 'a workspace that somebody shares';
  if (!(await confirmed('Open the application?', `It is on port ${port} of ${name}.`, 'Open'))) return;
  try {
    location.assign((await call('POST', `${path_of(id)}/proxy-ticket`, { port: Number(port) })).data.url);
  } catch (problem) {
    tell_problem(`It could not be opened: ${problem.message}`, problem.requestId);
  }
}

const workspace_acts = {
  main: (workspace) => (['running', 'switching'].includes(workspace.phase) ? open_application(workspace) : ask_for('start', workspace.id, 'POST', '/start', {})),
  stop: ({ id }) => ask_for('stop', id, 'POST', '/stop', {}),
  restart: ({ id }) => ask_for('restart', id, 'POST', '/restart', {}),
  'make-default': ({ id, name }) => do_now(`${name} could not be made the default`, 'POST', `${path_of(id)}/set-default`, {}, () => `${name} is the default now.`),
  delete: async ({ id, name, type, phase }) => {
    const home = state.types.find((each) => each.type === type)?.homePath;
    const text = (phase === 'stopped' || phase === 'failed' ? '' : 'It is stopped first. ') + 'The files of its project stay: another workspace can open them.' +
      (home ? ' The settings that it keeps for itself go to the trash, from where the workspace can be restored.' : '');
    if (await confirmed(`Delete the workspace “${name}”?`, text, 'Delete workspace')) ask_for('delete', id, 'DELETE', '');
  },
};

const project_acts = {
  delete: async ({ id, name }) => {
    if (!(await confirmed(`Delete the project “${name}”?`, 'Its files go to the trash, from where they can be restored for a while.', 'Delete project'))) return;
    await do_now(`${name} could not be deleted`, 'DELETE', `/api/projects/${id}`, undefined, () => {
      const trashed = state.trash.find((each) => each.ownerId === id);
      return trashed ? `${name} is in the trash, where it can be restored until ${day(trashed.purgeAfter)}.` : `${name} is in the trash.`;
    });
  },
};

const trash_acts = {
  restore: ({ id, name }) => do_now(`${name} could not be restored`, 'POST', `/api/trash/${id}/restore`, {}, () => `${name} is restored.`),
  purge: async ({ id, name }) => {
    if (!(await confirmed(`Delete “${name}” for good?`, 'Its files are removed now and for ever: this cannot be undone.', 'Delete for good'))) return;
    await do_now(`${name} could not be deleted for good`, 'DELETE', `/api/trash/${id}`, undefined, () => `${name} is gone for good.`);
  },
};

function on_acts(list_id, acts) {
  $(`#${list_id}`).addEventListener('click', (event) => {
    const button = event.target.closest('button[data-act]');
    // The second click of a double click meant the button as it was before the first.
    if (!button || button.getAttribute('aria-disabled') === 'true' || event.detail > 1) return;
    const item = state[list_id].find((each) => each.id === button.closest('li').dataset.id);
    if (item) acts[button.dataset.act](list_id === 'workspaces' ? as_seen(item) : item);
  });
}
on_acts('workspaces', workspace_acts);
on_acts('projects', project_acts);
on_acts('trash', trash_acts);

$('#workspaces').addEventListener('change', ({ target }) => {
  const id = target.closest('li').dataset.id;
  const project = state.projects.find((each) => each.id === target.value);
  if (project && workspace_of(id)) ask_for('switch', id, 'POST', '/switch-project', { projectId: project.id }, project);
});
// A key would choose the next project at once, and the workspace would switch: it opens the list instead.
$('#workspaces').addEventListener('keydown', (event) => {
  const chooses = event.key.length === 1 || event.key.startsWith('Arrow') || ['Home', 'End', 'PageUp', 'PageDown'].includes(event.key);
  if (event.target.tagName !== 'SELECT' || !chooses || event.ctrlKey || event.metaKey || !event.target.showPicker) return;
  event.preventDefault();
  event.target.showPicker();
});

const dialog_form = (name) => $(`#${name}-dialog form`);

function open_dialog(name) {
  const form = dialog_form(name);
  form.reset();
  $('.problem', form).textContent = '';
  if (name === 'workspace') show_types(form);
  form.closest('dialog').showModal();
  return form;
}

function fill_workspace_projects() {
  const { elements } = dialog_form('workspace');
  const options = project_options(all_as_seen(), elements.type?.value).map(({ id, text, disabled }) => Object.assign(new Option(text, id), { disabled }));
  elements.projectId.replaceChildren(new Option('A new one, named after the workspace', ''), ...options);
}

function show_types(form) {
  show_type_choices($('.choices', form), state.types, fill_workspace_projects);
  fill_workspace_projects();
  if (!state.types.some((each) => each.available)) $('.problem', form).textContent = 'No type can be started here yet: the server’s operator has to provide an image.';
}

async function open_workspace_dialog() {
  const form = open_dialog('workspace');
  // Which images there are may have changed since the page was opened.
  const before = JSON.stringify(state.types);
  await read_types().catch(() => {});
  if (JSON.stringify(state.types) !== before) show_types(form);
}

document.addEventListener('click', ({ target }) => {
  const act = target.closest('[data-act]')?.dataset.act;
  if (act === 'new-workspace') open_workspace_dialog();
  if (act === 'new-project') open_dialog('project');
  if (target.closest('[data-close]')) target.closest('dialog').close();
});

on_submit(dialog_form('workspace'), async ({ elements }) => {
  const wanted = { type: elements.type?.value, name: elements.name.value.trim() || null, projectId: elements.projectId.value || null };
  const workspace = (await call('POST', '/api/workspaces', wanted)).data;
  $('#workspace-dialog').close();
  await read_all();
  if (elements.start.checked) await ask_for('start', workspace.id, 'POST', '/start', {});
  else tell_news(`${workspace.name} is created. Start it when you need it.`);
});

on_submit(dialog_form('project'), async ({ elements }) => {
  const project = (await call('POST', '/api/projects', { name: elements.name.value.trim() })).data;
  $('#project-dialog').close();
  tell_news(`${project.name} is created. Choose it in a workspace to work on it.`);
  await read_all();
});

on_submit(dialog_form('password'), async ({ elements }) => {
  await call('POST', '/api/auth/change-password', { currentPassword: elements.currentPassword.value, newPassword: elements.newPassword.value });
  $('#password-dialog').close();
  tell_news('The password is changed.');
});

on_submit(dialog_form('confirm'), () => $('#confirm-dialog').close('yes'));

on_submit($('#sign-in'), async ({ elements }) => {
  await sign_in(elements.email.value.trim(), elements.password.value);
});

$('#change-password').addEventListener('click', () => (open_dialog('password').elements.username.value = state.user.email));
$('#sign-out').addEventListener('click', () => sign_out().catch((problem) => tell_problem(`You are still signed in: ${problem.message}`, problem.requestId)));

function show_entrance(notice) {
  $('#loading').hidden = $('#home').hidden = $('#account').hidden = true;
  $('#sign-in').reset();
  $('#sign-in .problem').textContent = '';
  $('#sign-in-notice').hidden = !notice;
  $('#sign-in-notice').textContent = notice;
  $('#entrance').hidden = false;
  $('#sign-in').elements.email.focus();
}

session.addEventListener('begin', ({ detail: user }) => {
  Object.assign(state, { user, types: [], workspaces: [], projects: [], trash: [] });
  changes.clear();
  details.clear();
  read_at = -kCalmPause;
  ++reading;
  $('#who').textContent = user.email;
  $('#entrance').hidden = true;
  $('#account').hidden = false;
  // The lists first: an empty page would say for a moment that nothing is there.
  $('#loading').hidden = false;
  look().then(() => {
    if (state.user !== user) return;
    $('#loading').hidden = true;
    $('#home').hidden = false;
    if (document.activeElement === document.body) $('#workspaces-title').focus();
    open_what_was_asked_for();
  });
});

session.addEventListener('end', ({ detail: why }) => {
  state.user = undefined;
  clearTimeout(timer);
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  $('#news').replaceChildren();
  $('#problems').replaceChildren();
  show_entrance(why);
});

session.addEventListener('connection', ({ detail: answers }) => {
  const element = $('#connection');
  const text = answers ? '' : 'The server does not answer. Trying again…';
  if (element.textContent !== text) element.textContent = text;
});

document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : look_after(0)));

// Until the server says whether there is a session, there is nothing to show.
async function begin() {
  try {
    await resume();
  } catch (problem) {
    if (problem instanceof Unreachable) setTimeout(begin, kLostPause);
    else if (problem.status !== 401) show_entrance(sentence_of(problem));
  }
}
begin();
