// The server's own OpenAPI document, and every answer held against it: a status, a content type, a field or a
// code that the document does not know is a failure of the test that met it.
import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const named = 'https://schemas/';

export class Contract {
  #ajv;
  #schemas;
  #validators = new Map();

  constructor(document) {
    this.document = document;
    this.#ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
    formats(this.#ajv);
    // The schemas by names of their own: around them the document is no schema.
    this.#schemas = JSON.parse(JSON.stringify(document).replaceAll('"#/components/schemas/', `"${named}`));
    for (const [name, schema] of Object.entries(this.#schemas.components.schemas)) this.#ajv.addSchema(schema, named + name);
    this.templates = Object.keys(document.paths)
      .map((template) => ({ template, parts: template.split('/') }))
      // A literal segment wins over a parameter.
      .sort((a, b) => a.parts.filter((part) => part.startsWith('{')).length - b.parts.filter((part) => part.startsWith('{')).length);
  }

  /** Every call of the document: `{method, template, operation}`. */
  calls() {
    return Object.entries(this.document.paths).flatMap(([template, verbs]) =>
      Object.entries(verbs).map(([verb, operation]) => ({ method: verb.toUpperCase(), template, operation })));
  }

  /** The path of the document that a path of a request means; undefined for one that it does not have. */
  templateOf(path) {
    const parts = path.split('?')[0].replace(/\/$/, '').split('/');
    return this.templates.find(({ parts: known }) =>
      known.length === parts.length && known.every((part, index) => (part.startsWith('{') ? parts[index] !== '' : part === parts[index])))?.template;
  }

  #validate(key, schema, value, what) {
    let validator = this.#validators.get(key);
    if (!validator) {
      validator = this.#ajv.compile(schema);
      this.#validators.set(key, validator);
    }
    if (!validator(value)) {
      const problems = validator.errors.map((each) => `${each.instancePath || '/'} ${each.message} ${JSON.stringify(each.params)}`).join('\n  ');
      assert.fail(`${what} is not what the document says:\n  ${problems}\n  ${JSON.stringify(value).slice(0, 1000)}`);
    }
  }

  /** What the document says of an answer, where it may stand among the shared ones. */
  #responseOf(operation, status) {
    const response = operation.responses[status];
    return response?.$ref ? this.#schemas.components.responses[response.$ref.split('/').pop()] : response;
  }

  /** Asserts that `value` fits the document's schema of this name. */
  fits(schema, value) {
    this.#validate(schema, { $ref: named + schema }, value, `a ${schema}`);
  }

  /** Asserts that an answer, and the request where it was accepted, are what the document says. */
  check(method, path, request, answer) {
    const what = `${answer.status} to ${method} ${path}`;
    const type = (answer.headers['content-type'] ?? '').split(';')[0];
    if (answer.headers['x-request-id'] === undefined) assert.fail(`${what} has no X-Request-Id`);
    if (answer.status >= 400) {
      if (type !== 'application/json') assert.fail(`${what} is no problem in JSON but ${type}: ${answer.text.slice(0, 300)}`);
      if (answer.body?.requestId && answer.body.requestId !== answer.headers['x-request-id']) assert.fail(`${what} names another request`);
    }
    const template = this.templateOf(path);
    const operation = template && this.#schemas.paths[template][method.toLowerCase()];
    if (!operation) {
      // What the document does not have is not there, or not with this verb.
      if (['HEAD', 'OPTIONS'].includes(method)) return;
      this.fits('Problem', answer.body);
      assert.ok(answer.status === (template ? 405 : 404) || answer.status === 400, `${what}, which is not in the document`);
      if (answer.status === 405) assert.ok(answer.headers.allow, `${what} does not say which verbs there are`);
      return;
    }
    const key = `${method} ${template} `;
    // What any call may answer to an API token with a scope, the document says once for all.
    if (answer.status === 403 && answer.body?.code === 'token_scope') {
      this.fits('Problem', answer.body);
      return;
    }
    const response = this.#responseOf(operation, answer.status);
    assert.ok(response, `${what} is a status that the document does not have: ${answer.text.slice(0, 600)}`);
    assert.notEqual(answer.status, 500, `${what}: ${answer.text}`);
    assert.ok(response.content[type], `${what} has the content type ${type}`);
    if (type === 'application/json') this.#validate(key + answer.status, response.content[type].schema, answer.body, what);
    if (answer.status === 401) assert.equal(answer.headers['www-authenticate'], 'Bearer', what);
    // What the server took, the document must allow.
    if (answer.status < 300 && request.json !== undefined) {
      assert.ok(operation.requestBody, `${what}: the document knows no body here`);
      this.#validate(key, operation.requestBody.content['application/json'].schema, request.json, `the body accepted with ${what}`);
    }
  }
}
