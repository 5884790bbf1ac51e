// Applications that have a host name each: {port}--{workspaceId}.apps.localhost, which browsers take for this machine.
import { exchange } from './api_client.mjs';

export const appsDomain = 'apps.localhost';
/** For startServer(). */
export const withAppsDomain = { AGENTDB9_SERVER_APPS_DOMAIN: appsDomain };

export const hostOf = (server, workspace, port = 8080) => `${port}--${workspace.id}.${appsDomain}:${new URL(server.apps).port}`;

/** Asks an application by its host name; `url`: absolute. The name is not looked up. */
export function visit(server, url, { method = 'GET', headers = {}, ...options } = {}) {
  const { host, pathname, search } = new URL(url);
  return exchange(server.apps, method, pathname + search, { ...options, headers: { Host: host, ...headers } });
}

/** "name=value" of the cookie that an answer sets. */
export const cookieOf = (answer) => answer.headers['set-cookie'][0].split(';')[0];
