// The API's own document as a page: what each call takes and answers. Text only ever becomes text.

const notice = document.getElementById('notice');

// element('p', {class: 'soft'}, 'text', child, …)
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

// The little of Markdown that the document uses: `code` and **strong**.
function prose(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`')) return element('code', {}, part.slice(1, -1));
    if (part.startsWith('**')) return element('strong', {}, part.slice(2, -2));
    return part;
  });
}

function reader(api) {
  const follow = (value) => {
    if (!value?.$ref) return value;
    return value.$ref.slice(2).split('/').reduce((at, key) => at[key], api);
  };

  // "text", "list of Project", "whole number or null" …
  function type(schema) {
    if (schema.$ref) {
      const name = schema.$ref.split('/').pop();
      return [element('a', { href: `#schema-${name}` }, name)];
    }
    if (schema.anyOf ?? schema.oneOf) {
      return (schema.anyOf ?? schema.oneOf).flatMap((each, index) => [index ? ' or ' : '', ...type(each)]);
    }
    if ('const' in schema) return [element('code', {}, JSON.stringify(schema.const))];
    if (schema.enum) return schema.enum.flatMap((value, index) => [index ? ' | ' : '', element('code', {}, JSON.stringify(value))]);
    const names = { string: schema.format ?? 'text', integer: 'whole number', array: 'list', boolean: 'true or false' };
    const types = [schema.type ?? 'anything'].flat();
    return types.flatMap((each, index) => {
      const of = each === 'array' && schema.items ? [' of ', ...type(schema.items)] : [];
      return [index ? ' or ' : '', names[each] ?? each, ...of];
    });
  }

  function bounds(schema) {
    const said = [];
    if (schema.minLength !== undefined || schema.maxLength !== undefined) said.push(`${schema.minLength ?? 0}–${schema.maxLength ?? ''} characters`);
    if (schema.minimum !== undefined && schema.maximum !== undefined) said.push(`${schema.minimum}–${schema.maximum}`);
    if (schema.default !== undefined) said.push(`else ${JSON.stringify(schema.default)}`);
    return said.length ? ` (${said.join(', ')})` : '';
  }

  function fields(schema) {
    const rows = Object.entries(schema.properties ?? {}).map(([name, field]) =>
      element('tr', {},
        element('td', {}, element('code', {}, name), schema.required?.includes(name) ? '' : ' (optional)'),
        element('td', {}, ...type(field), bounds(field)),
        element('td', {}, ...prose(field.description ?? ''), field.properties ? fields(field) : undefined)));
    return rows.length ? element('table', {}, element('tbody', {}, ...rows)) : undefined;
  }

  function example(schema) {
    const shown = follow(schema)?.examples?.[0];
    return shown === undefined ? undefined : element('pre', {}, element('code', {}, JSON.stringify(shown, null, 2)));
  }

  function answer(status, response) {
    const found = follow(response);
    const schemas = Object.entries(found.content ?? {}).map(([media, { schema }]) => {
      const data = schema.properties?.data;
      if (Number(status) >= 400) return undefined;
      if (data) return element('span', {}, ' Data: ', ...type(data), '.');
      return schema.$ref ? element('span', {}, ' ', ...type(schema), '.') : element('span', {}, ` (${media})`);
    });
    return element('tr', {}, element('td', { class: 'status' }, element('code', { class: 'status' }, status)), element('td', {}, ...prose(found.description), ...schemas));
  }

  function parameters(list) {
    const rows = list.map(follow).map((each) =>
      element('tr', {}, element('td', {}, element('code', {}, each.name), ` in the ${each.in}`),
        element('td', {}, ...type(each.schema), bounds(each.schema)), element('td', {}, ...prose(each.description ?? ''))));
    return element('table', {}, element('tbody', {}, ...rows));
  }

  function call(path, verb, operation) {
    const body = operation.requestBody?.content['application/json']?.schema;
    const open = operation.security?.length === 0;
    return element('article', { id: operation.operationId },
      element('h3', {}, element('span', { class: 'verb' }, verb.toUpperCase()), element('code', {}, path), element('span', {}, operation.summary)),
      element('p', { class: 'soft' }, ...prose(operation.description ?? ''), open ? ' Needs no token.' : ''),
      ...(operation.parameters ? [element('h4', {}, 'Parameters'), parameters(operation.parameters)] : []),
      ...(body && follow(body).properties && Object.keys(follow(body).properties).length
        ? [element('h4', {}, 'Body'), fields(follow(body)), example(body)]
        : []),
      element('h4', {}, 'Answers'),
      element('table', {}, element('tbody', {}, ...Object.entries(operation.responses).map(([status, each]) => answer(status, each)))));
  }

  return { call, fields, example, prose };
}

function show(api) {
  const main = document.querySelector('main');
  const nav = document.querySelector('nav');
  const read = reader(api);
  const calls = Object.entries(api.paths).flatMap(([path, verbs]) => Object.entries(verbs).map(([verb, operation]) => ({ path, verb, operation })));
  main.append(element('h1', {}, `${api.info.title} API ${api.info.version}`));
  for (const paragraph of api.info.description.split('\n\n')) main.append(element('p', {}, ...prose(paragraph)));
  main.append(element('p', {}, element('a', { href: '/api/openapi.json' }, 'openapi.json')));
  for (const tag of api.tags) {
    nav.append(element('h2', {}, tag.name));
    main.append(element('h2', {}, tag.name), element('p', {}, tag.description));
    for (const { path, verb, operation } of calls.filter((each) => each.operation.tags.includes(tag.name))) {
      nav.append(element('a', { href: `#${operation.operationId}` }, operation.summary));
      main.append(read.call(path, verb, operation));
    }
  }
  nav.append(element('h2', {}, 'objects'));
  main.append(element('h2', {}, 'objects'));
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    nav.append(element('a', { href: `#schema-${name}` }, name));
    main.append(element('article', { id: `schema-${name}` }, element('h3', {}, name), element('p', { class: 'soft' }, schema.description ?? ''), read.fields(schema), read.example(schema)));
  }
  notice.remove();
  // The anchor in the address exists only now.
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

try {
  const answer = await fetch('/api/openapi.json');
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  show(await answer.json());
} catch (error) {
  notice.textContent = `The document could not be read: ${error.message}.`;
}
