// Headless chromium before `understudy serve` (PROGRAM in the environment) without keys: what a page of another
// site can do. The pages are served here; `evil.example` leads to this machine, as after DNS rebinding.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

import { World } from './world.mjs';

const world = new World('15s');
const model = 'text@chat@1';
const question = JSON.stringify({ model, messages: [{ role: 'user', content: 'How?' }] });
const pages = new Map();
const reports = new Map();
const site = http.createServer(async (request, response) => {
  if (request.method === 'POST') {
    reports.get(request.url)(JSON.parse(await text(request)));
  }
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end(pages.get(request.url) ?? '');
});
let port;
let folder;

before(async () => {
  world.keys = false;
  world.models = [model];
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  port = site.address().port;
  world.server = `origins = ["http://friend.example:${port}"]`;
  await world.begin(process.env.PROGRAM);
  folder = await mkdtemp(join(tmpdir(), 'understudy-browser-'));
});

after(async () => {
  site.close();
  site.closeAllConnections();
  await world.end();
  await rm(folder, { recursive: true, force: true });
});

function chromium(...more) {
  return promisify(execFile)('chromium', [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', `--user-data-dir=${folder}`,
    '--host-resolver-rules=MAP evil.example 127.0.0.1,MAP friend.example 127.0.0.1', ...more,
  ], { timeout: 60000 });
}

/** The page at that address, once it is loaded. */
const visit = async (address) => (await chromium('--dump-dom', address)).stdout;

/** What `script` returns, run in a page of that host, which reports it to us. */
async function run(host, script) {
  const path = `/${pages.size}`;
  pages.set(path, `<body><script>
    const gateway = ${JSON.stringify(world.url)}, question = ${JSON.stringify(question)};
    const tell = async (what) => { try { return await what(); } catch (error) { return 'refused: ' + error.name; } };
    (async () => { fetch('${path}', { method: 'POST', body: JSON.stringify(await (${script})()) }); })();
  </script></body>`);
  const reported = new Promise((resolve) => { reports.set(path, resolve); });
  const browser = chromium('--remote-debugging-port=0', `http://${host}:${port}${path}`);
  const ended = browser.catch((error) => error); // it is killed
  const result = await Promise.race([reported, ended]);
  browser.child.kill();
  await ended;
  assert.ok(!(result instanceof Error), String(result));
  return result;
}

test('a page of another site can neither spend nor read', { timeout: 120000 }, async () => {
  const url = new URL(world.url);
  const got = await run('evil.example', `async () => {
    const post = (type, mode) => () => fetch(gateway + '/v1/chat/completions',
      { method: 'POST', mode, headers: type ? { 'content-type': type } : {}, body: type ? question : new Blob([question]) })
      .then(async (answer) => answer.type + ' ' + answer.status + ' ' + await answer.text());
    const frame = document.createElement('iframe');
    frame.name = 'frame';
    document.body.append(frame);
    const form = document.createElement('form');
    form.method = 'POST'; form.enctype = 'text/plain'; form.target = 'frame';
    form.action = gateway + '/v1/chat/completions';
    const field = document.createElement('input');
    field.name = question.slice(0, -1) + ',"x":"'; field.value = '"}';
    form.append(field); document.body.append(form);
    const loaded = new Promise((done) => { frame.onload = done; });
    form.submit(); await loaded;
    return {
      plain: await tell(post('text/plain', 'no-cors')),
      untyped: await tell(post('', 'no-cors')),
      json: await tell(post('application/json', 'cors')),
      status: await tell(() => fetch(gateway + '/status').then((answer) => answer.text())),
      models: await tell(() => fetch(gateway + '/v1/models', { mode: 'no-cors' }).then((answer) => answer.text())),
      beacon: navigator.sendBeacon(gateway + '/v1/chat/completions', question),
      rebound: await tell(() => fetch('http://evil.example:${url.port}/status', { mode: 'no-cors' }).then((a) => a.type)),
      socket: await new Promise((done) => {
        const socket = new WebSocket(gateway.replace('http', 'ws') + '/v1/responses');
        socket.onopen = () => done('open'); socket.onerror = () => done('refused');
      }),
    };
  }`);
  assert.equal(world.upstream.asked.length, 0, 'the page has spent the keys');
  assert.equal(got.plain, 'opaque 0 ');
  assert.equal(got.untyped, 'opaque 0 ');
  assert.equal(got.json, 'refused: TypeError');
  assert.equal(got.status, 'refused: TypeError');
  assert.equal(got.models, '');
  assert.equal(got.socket, 'refused');
});

test('a page under a name that leads here reads nothing but a refusal', { timeout: 120000 }, async () => {
  const { port: own } = new URL(world.url);
  for (const path of ['/status', '/metrics', '/v1/models']) {
    const shown = await visit(`http://evil.example:${own}${path}`);
    assert.match(shown, /host_not_allowed/);
    assert.doesNotMatch(shown, /text-chat-1|understudy_/);
  }
  assert.match(await visit(`${world.url}/v1/models`), /text@chat@1/, 'the user looks himself');
});

test('a page of an origin in `server.origins` asks and reads', { timeout: 120000 }, async () => {
  const got = await run('friend.example', `async () => ({
    answer: await tell(() => fetch(gateway + '/v1/chat/completions',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: question }).then((answer) => answer.json())),
  })`);
  assert.equal(got.answer.choices?.[0].message.content, 'It is 71 %.', JSON.stringify(got));
  assert.equal(world.upstream.asked.length, 1);
});
