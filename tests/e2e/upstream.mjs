// A provider that speaks all three protocols, whole and streamed, and behaves as the model's name says.
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { protocols } from './protocols.mjs';

export const level = { type: 'object', properties: { tank: { type: 'string' } }, required: ['tank'] };

export const says = (...tokens) => ({ parts: [{ text: tokens }], stop: 'end' });
const calls = (...tanks) => ({
  parts: tanks.map((tank) => ({ call: { id: `call_${tank}`, name: 'read_level', input: { tank } } })),
  stop: 'call',
});
const reports = (results) => says('Found: ', ...results.map(([, text]) => `${text};`));
export const answer = says('It ', 'is ', '71 ', '%.');
export const looks = { parts: [{ text: ['Let ', 'me ', 'look.'] }, ...calls('north').parts], stop: 'call' };

/** By the model's name: what is answered ({parts, stop}), and how; `edit` changes the frames of a stream. */
const behaviours = {
  text: () => ({ answer }),
  short: () => ({ answer: { ...answer, stop: 'length' } }),
  json: () => ({ answer: says('{"tank": ', '"north"}') }),
  thinking: () => ({ answer: { parts: [{ thinking: ['Look ', 'first.'] }, ...answer.parts], stop: 'end' } }),
  tool: (results) => ({ answer: results.length ? reports(results) : calls('north') }),
  tools: (results) => ({ answer: results.length ? reports(results) : calls('north', 'south') }),
  late: () => ({ answer, before: 500 }),
  pausing: () => ({ answer, between: 250 }),
  slow: () => ({ answer: says(...Array(1000).fill('and on ')), between: 20 }),
  silent: () => ({ answer: says(), silent: true }), // but for heartbeats
  cut: () => ({ answer, then: 'cut' }), // the connection is reset amid the answer
  ends: () => ({ answer, then: 'end' }), // the body ends properly, the answer does not
  fails: () => ({ answer, then: 'error' }), // an error event amid the answer
  looks: () => ({ answer: looks }),
  'looks-cut': () => ({ answer: looks, then: 'cut', at: ':\\"north' }), // amid the call's arguments
  '400': () => ({ status: 400, message: '`temperature` must be at most 2' }),
  '401': () => ({ status: 401, message: 'invalid x-api-key' }),
  '429': () => ({ status: 429, message: 'Too many requests' }),
  '429-in-1': (_, nth) => (nth > 1 ? { answer } : { status: 429, message: 'Too many requests', retry_after: 1 }),
  '429-in-300': () => ({ status: 429, message: 'Too many requests', retry_after: 300 }),
  'late-401': () => ({ status: 401, message: 'invalid x-api-key', before: 500 }),
  busy: (_, nth, protocol) => ({ status: protocol === protocols.messages ? 529 : 503, message: 'Overloaded' }),
};

const compaction = {
  id: 'resp_compacted', object: 'response.compaction', created_at: 1767225600,
  output: [{ id: 'cmp_1', type: 'compaction', encrypted_content: 'sealed-compaction' }],
  usage: {
    input_tokens: 9, input_tokens_details: { cached_tokens: 0 }, output_tokens: 3,
    output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 12,
  },
};

export class Upstream {
  /** All that was asked: {by, protocol, body, headers, closed}. `closed` says whether the peer left before the end. */
  asked = [];
  /** Further behaviours of this upstream alone. */
  behaviours = {};
  #server = http.createServer((request, response) => this.#serve(request, response));

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.#server.address().port;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request, response) {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) {
      text += piece;
    }
    const [, by, path] = /^\/([^/]+)(\/.*)$/.exec(request.url); // each provider of the config has a folder here
    const body = JSON.parse(text);
    if (path.endsWith('/responses/compact')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(compaction));
      return;
    }
    const [name, protocol] = Object.entries(protocols).find(([, one]) => one.path === path);
    let ended = false;
    const closed = once(response, 'close').then(() => !ended);
    this.asked.push({ by, protocol: name, body, headers: request.headers, closed });
    const nth = this.asked.filter((one) => one.by === by).length;
    const behave = this.behaviours[body.model] ?? behaviours[body.model];
    await this.#play(response, protocol, body, behave(protocol.results(body), nth, protocol));
    ended = true;
  }

  async #play(response, protocol, body, how) {
    const { answer, status, message, retry_after, before, between, silent, edit, then, at = '71 ' } = how;
    await sleep(before ?? 0);
    if (status) {
      const later = retry_after ? { 'retry-after': retry_after } : {};
      response.writeHead(status, { 'content-type': 'application/json', ...later });
      response.end(JSON.stringify(protocol.error(status, message)));
      return;
    }
    if (!body.stream) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(protocol.whole(body, answer)));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let frames = protocol.frames(body, answer);
    for (let beat = frames[0]; silent && !response.destroyed; beat = protocol.heartbeat) {
      response.write(beat);
      await sleep(50);
    }
    if (edit) {
      frames = edit(frames);
    } else if (then) {
      frames = frames.slice(0, frames.findIndex((frame) => frame.includes(at)));
    }
    for (const frame of frames) {
      if (response.destroyed) {
        return;
      }
      response.write(frame);
      await sleep(between ?? 1);
    }
    if (then === 'cut') {
      await sleep(50); // or what was written might not be read any more
      response.socket.resetAndDestroy();
    } else if (then === 'error') {
      response.end(protocol.broken);
    } else {
      response.end();
    }
  }
}
