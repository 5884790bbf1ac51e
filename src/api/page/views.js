// How the page shows things. Text enters the document as text only, never as markup.

export const $ = (selector, within = document) => within.querySelector(selector);

// What a workspace is doing, for a person: the phases of the API.
const kPhases = {
  queued: 'Waiting for its turn', pulling: 'Downloading the image', creating: 'Creating', starting: 'Starting',
  probing: 'Waiting for the application', running: 'Running', switching: 'Switching the project', stopping: 'Stopping',
  deleting: 'Deleting', stopped: 'Stopped', failed: 'Failed',
};
const kAtRest = ['running', 'stopped', 'failed'];
const kEnding = { stopping: 'Stopping…', deleting: 'Deleting…' };
export const is_busy = (workspace) => !kAtRest.includes(workspace.phase);

const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
export const day = (time) => date.format(new Date(time));

const instance = (template) => $(`#${template}`).content.firstElementChild.cloneNode(true);

function set_text(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function set_icon(svg, icon) {
  const known = document.getElementById(`icon-${icon}`) ? icon : 'box';
  $('use', svg).setAttribute('href', `#icon-${known}`);
}

// A button that has the focus keeps it: it is not disabled but says that it is, and does nothing.
function set_enabled(button, enabled) {
  button.setAttribute('aria-disabled', String(!enabled));
}

function show(element, visible, next_focus) {
  if (element.hidden === !visible) return;
  const had_focus = element.contains(document.activeElement);
  element.hidden = !visible;
  if (!visible && had_focus) next_focus.focus();
}

// One element for each item, in the items' order: it lives as long as its item, so that focus and open lists
// outlast an update.
function show_items(list, items, make, update, empty, title) {
  const lost = new Map([...list.children].map((element) => [element.dataset.id, element]));
  const elements = items.map((item) => {
    const element = lost.get(item.id) ?? make(item);
    lost.delete(item.id);
    element.dataset.id = item.id;
    update(element, item);
    return element;
  });
  const focused = document.activeElement;
  for (const element of lost.values()) element.remove();
  elements.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
  empty.hidden = items.length > 0;
  if (focused === document.activeElement || focused === document.body) return;
  if (focused.isConnected) focused.focus();
  else title.focus();
}

function set_options(select, options, chosen) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options !== wanted) {
    select.dataset.options = wanted;
    select.replaceChildren(...options.map(({ id, text, disabled }) => Object.assign(new Option(text, id), { disabled })));
  }
  const index = options.findIndex((each) => each.id === chosen);
  if (select.selectedIndex !== index) select.selectedIndex = index;
}

const works_on = (project, workspace) => workspace.currentProjectId === project.id && (workspace.phase === 'running' || is_busy(workspace));

/** Projects that a workspace of this type can work on; what another running one works on can be read, not chosen. */
export function project_options(state, type, current, workspace_id) {
  const compatible = state.projects.filter((each) => !each.workspaceType || each.workspaceType === type || each.id === current);
  return compatible.map((project) => {
    const other = state.workspaces.find((each) => each.id !== workspace_id && works_on(project, each));
    return { id: project.id, text: other ? `${project.name} (in use by ${other.name})` : project.name, disabled: Boolean(other) };
  });
}

function update_workspace(state, element, workspace) {
  const type = state.types.find((each) => each.type === workspace.type);
  const busy = is_busy(workspace);
  const running = workspace.phase === 'running';
  const button = (act) => $(`[data-act="${act}"]`, element);

  const article = $('article', element);
  article.dataset.state = busy ? 'busy' : workspace.phase;
  set_icon($('.icon', element), type?.icon);
  set_text($('.name', element), workspace.name);
  set_text($('.type', element), type?.name ?? workspace.type);
  $('.default', element).hidden = !workspace.isDefault;
  const percent = workspace.progress;
  set_text($('.state', element), (kPhases[workspace.phase] ?? workspace.phase) + (busy && percent != null ? ` ${percent} %` : ''));
  const progress = $('progress', element);
  progress.hidden = !busy;
  if (percent != null) progress.value = percent;
  else progress.removeAttribute('value');
  const problem = $('.problem', element);
  const error = workspace.engineSilent ? 'The container engine does not answer. What was asked for goes on by itself when it does.' : workspace.lastError;
  problem.hidden = !error;
  set_text(problem, error ?? '');

  const none = { id: '', text: 'None yet: it gets one when it starts', disabled: true };
  const options = project_options(state, workspace.type, workspace.currentProjectId, workspace.id);
  const chosen = workspace.wantedProjectId ?? workspace.currentProjectId ?? '';
  if (!chosen) options.unshift(none);
  else if (!options.some((each) => each.id === chosen)) options.unshift({ id: chosen, text: '…' });  // the list of projects is older
  set_options($('select', element), options, chosen);

  const main = button('main');
  set_text(main, running || workspace.phase === 'switching' ? 'Open' : busy ? kEnding[workspace.phase] ?? 'Starting…' : 'Start');
  set_enabled(main, !busy || workspace.phase === 'switching');
  show(button('stop'), running || busy, main);
  set_enabled(button('stop'), !(workspace.phase in kEnding));
  show(button('restart'), running, main);
  show(button('make-default'), !workspace.isDefault, main);
  set_enabled(button('delete'), workspace.phase !== 'deleting');
}

export function show_workspaces(state) {
  const make = (workspace) => {
    const element = instance('workspace-card');
    $('.name', element).id = `name-${workspace.id}`;
    $('article', element).setAttribute('aria-labelledby', `name-${workspace.id}`);
    return element;
  };
  show_items($('#workspaces'), state.workspaces, make, (...each) => update_workspace(state, ...each), $('#no-workspaces'), $('#workspaces-title'));
}

function make_row(...acts) {
  const element = instance('row');
  for (const [act, text, kind] of acts) {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', textContent: text, className: kind });
    button.dataset.act = act;
    $('.actions', element).append(button);
  }
  return element;
}

function update_row(element, name, hint) {
  set_text($('.name', element), name);
  set_text($('.hint', element), hint);
  for (const button of element.querySelectorAll('button')) {
    const label = `${button.textContent}: ${name}`;
    if (button.getAttribute('aria-label') !== label) button.setAttribute('aria-label', label);
  }
}

export function show_projects(state) {
  show_items($('#projects'), state.projects, () => make_row(['delete', 'Delete', 'quiet danger']), (element, project) => {
    const users = state.workspaces.filter((each) => each.currentProjectId === project.id);
    const busy = users.some((each) => works_on(project, each));
    const type = state.types.find((each) => each.type === project.workspaceType)?.name ?? project.workspaceType;
    const where = users.length > 0 ? `${busy ? 'In use by' : 'Current project of'} ${users.map((each) => each.name).join(', ')}` : 'Not in use';
    update_row(element, project.name, `${where}${type ? ` · for ${type}` : ''} · created ${day(project.createdAt)}`);
    set_enabled($('button', element), !busy);
  }, $('#no-projects'), $('#projects-title'));
}

export function show_trash(state) {
  const make = () => make_row(['restore', 'Restore', ''], ['purge', 'Delete for good', 'quiet danger']);
  show_items($('#trash'), state.trash, make, (element, item) => {
    const kind = item.kind === 'project' ? 'Project' : 'Workspace with its settings';
    update_row(element, item.name, `${kind} · deleted ${day(item.deletedAt)} · removed for good after ${day(item.purgeAfter)}`);
  }, $('#no-trash'), $('#trash-title'));
}

export function show_type_choices(container, types, choose) {
  container.replaceChildren(...types.map((type) => {
    const element = instance('type-choice');
    const input = $('input', element);
    Object.assign(input, { value: type.type, disabled: !type.available });
    input.addEventListener('change', choose);
    set_icon($('.icon', element), type.icon);
    $('strong', element).textContent = type.name;
    $('small', element).textContent = type.available ? type.description : `Not available: this server has no image ${type.containerImage}`;
    return element;
  }));
  const first = $('input:enabled', container);
  if (first) first.checked = true;
}

export const sentence_of = (problem) => (problem.requestId ? `${problem.message} (request ${problem.requestId})` : problem.message);

function outcome(container, text, detail, at_most, lifetime) {
  const element = document.createElement('div');
  const words = document.createElement('p');
  words.textContent = text;
  if (detail) words.append(Object.assign(document.createElement('small'), { textContent: detail }));
  const close = Object.assign(document.createElement('button'), { type: 'button', className: 'quiet', textContent: 'Dismiss' });
  close.addEventListener('click', () => element.remove());
  element.append(words, close);
  container.append(element);
  while (container.children.length > at_most) container.firstElementChild.remove();
  if (lifetime) setTimeout(() => element.remove(), lifetime);
}

export const tell_news = (text) => outcome($('#news'), text, '', 3, 8000);
/** Stays until it is dismissed. */
export const tell_problem = (text, request_id) => outcome($('#problems'), text, request_id ? `Request ${request_id}` : '', 3);

/** Whether the user agrees. */
export function confirmed(title, text, verb) {
  const dialog = $('#confirm-dialog');
  $('h2', dialog).textContent = title;
  $('#confirm-text').textContent = text;
  $('[type="submit"]', dialog).textContent = verb;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}

/** A form's submission: never twice at once, its problem told in the form. */
export function on_submit(form, act) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (form.hasAttribute('aria-busy')) return;
    const problem = $('.problem', form);
    const missing = [...form.elements].find((each) => each.required && each.value === '');
    if (problem) problem.textContent = missing ? `${missing.labels[0].firstChild.textContent} is missing.` : '';
    if (missing) return missing.focus();
    form.setAttribute('aria-busy', 'true');
    try {
      await act(form);
    } catch (error) {
      problem.textContent = sentence_of(error);
    } finally {
      form.removeAttribute('aria-busy');
    }
  });
}
