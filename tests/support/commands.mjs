// Commands in workspaces, as their callers run them and as the container sees them.
import { execFileSync } from 'node:child_process';
import { request } from 'node:http';

import { eventually } from './eventually.mjs';

/** What runs in a container, as its own `ps` tells: one line a process. */
export function processesIn(container) {
  return execFileSync('docker', ['exec', container, 'ps', '-o', 'pid,args'], { encoding: 'utf8' }).split('\n').slice(1).filter((line) => line && !/ ps -o /.test(line));
}

export const running = (container, text) => processesIn(container).some((line) => line.includes(text));
export const begins = (container, text) => eventually(`${text} to run`, () => running(container, text));
export const ends = (container, text) => eventually(`${text} to be gone`, () => !running(container, text));

/** A shell's text that is found again by its name: nobody else runs `sleep` for so long. */
let last = 70_000;
export const longSleep = () => `sleep ${++last}`;

/** Runs a command and answers how it ended. */
export async function exec(caller, workspace, command, more = {}) {
  return (await caller.post(`/api/workspaces/${workspace.id}/exec`, { command, ...more })).expect(200).data;
}

/** One whose output comes as it is printed; `events`, `of(name)`, `ended`, `close()`. */
export function execStream(caller, workspace, body) {
  const stream = { events: [], rest: '', ended: false };
  stream.of = (name) => stream.events.filter((each) => each.event === name).map((each) => each.data);
  stream.text = (name = 'stdout') => stream.of(name).map((each) => each.data).join('');
  const payload = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    stream.request = request(new URL(`/api/workspaces/${workspace.id}/exec`, caller.server.api), {
      method: 'POST', agent: false,
      headers: { Authorization: `Bearer ${caller.token}`, Accept: 'text/event-stream', 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) },
    }, (response) => {
      stream.response = response;
      stream.status = response.statusCode;
      response.setEncoding('utf8');
      response.on('data', (piece) => {
        const blocks = (stream.rest + piece).split('\n\n');
        stream.rest = blocks.pop();
        for (const block of blocks) {
          const [, event] = /^event: (.*)$/m.exec(block) ?? [];
          if (event) stream.events.push({ event, data: JSON.parse(/^data: (.*)$/m.exec(block)[1]) });
        }
      });
      response.on('end', () => (stream.ended = true)).on('error', () => {});
      resolve(stream);
    });
    stream.request.on('error', reject).end(payload);
    stream.close = () => stream.request.destroy();
  });
}
