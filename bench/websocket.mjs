// What a token costs the gateway over a WebSocket, beside the same over SSE: the CPU time of its process, by the kernel's
// account. The provider and the clients are in this process: `node bench/websocket.mjs PROGRAM`, where `tests/e2e/run` has
// installed npm's `ws` (its FOLDER is the working directory).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const installed = createRequire(join(process.cwd(), 'package.json'));
const WebSocket = installed('ws');
const { key, World } = await import(pathToFileURL(join(process.cwd(), 'world.mjs')));
const { says } = await import(pathToFileURL(join(process.cwd(), 'upstream.mjs')));

const streams = 50;
const tokens = 400;
const rounds = 7;
const model = 'bench@responses@b1';

const world = new World('15s');
world.models.push(model);
world.upstream.behaviours.bench = () => ({ answer: says(...Array(tokens).fill('and on ')), between: 2 });

const body = { model, stream: true, input: 'Go on.' };
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };

async function by_sse() {
  const request = http.request(`${world.url}/v1/responses`, { method: 'POST', headers, agent: false });
  request.end(JSON.stringify(body));
  const [response] = await once(request, 'response');
  let end = '';
  response.on('data', (piece) => { end = (end + piece.toString('latin1')).slice(-65536); });
  await once(response, 'end');
  assert.ok(end.includes('response.completed'));
}

async function by_websocket() {
  const socket = new WebSocket(`${world.url.replace('http', 'ws')}/v1/responses`, { headers });
  await once(socket, 'open');
  const done = new Promise((resolve, reject) => {
    socket.on('message', (data) => data.includes('"response.completed"') && resolve());
    socket.on('close', reject);
  });
  socket.send(JSON.stringify({ type: 'response.create', ...body }));
  await done;
  socket.terminate();
}

/** Microseconds of the gateway's CPU for each token. */
async function cost(way) {
  const ticks = async () => {
    const fields = (await readFile(`/proc/${world.gateway.pid}/stat`, 'utf8')).split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = await ticks();
  await Promise.all(Array.from({ length: streams }, way));
  return ((await ticks()) - before) * 10_000 / (streams * tokens);
}

await world.begin(process.argv[2]);
const costs = { sse: [], websocket: [] };
for (let round = 0; round <= rounds; ++round) {
  const one = { sse: await cost(by_sse), websocket: await cost(by_websocket) };
  round > 0 && Object.keys(costs).forEach((name) => costs[name].push(one[name]));
}
await world.end();
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const [sse, websocket] = [median(costs.sse), median(costs.websocket)];
console.log(`${streams} streams of ${tokens} tokens, medians of ${rounds} rounds: CPU a token over SSE ${sse.toFixed(1)} us, ` +
  `over a WebSocket ${websocket.toFixed(1)} us: ${(websocket / sse).toFixed(2)}x`);
process.exit(websocket / sse <= 1.2 ? 0 : 1);
