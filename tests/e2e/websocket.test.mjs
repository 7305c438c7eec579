// Responses over a WebSocket, by npm's `ws` and by OpenAI's SDK, before `understudy serve` (PROGRAM in the environment).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import WebSocket from 'ws';

import { key, World } from './world.mjs';

const text = 'It is 71 %.';
const ends = ['response.completed', 'response.incomplete', 'response.failed', 'error'];

const world = new World('15s');
const model = {
  text: 'text@responses@w1',
  translated: 'text@messages@w2',
  refused: 'busy@responses@w3 text@messages@w3',
  cut: 'cut@responses@w4 text@chat@w4',
  late: 'pausing@responses@w5',
};
world.models.push(...Object.values(model));

before(() => world.begin(process.env.PROGRAM));
after(() => world.end());

async function connect(options = {}) {
  const socket = new WebSocket(`${world.url.replace('http', 'ws')}/v1/responses`, {
    headers: { authorization: `Bearer ${key}` }, ...options,
  });
  await once(socket, 'open');
  return socket;
}

/** Asks, and reads the events up to the last one. */
async function ask(socket, message) {
  const events = [];
  const done = new Promise((resolve, reject) => {
    const take = (data) => {
      const event = JSON.parse(data);
      events.push(event);
      if (ends.includes(event.type)) {
        socket.off('message', take);
        socket.off('close', reject);
        resolve();
      }
    };
    socket.on('message', take);
    socket.on('close', reject);
  });
  socket.send(JSON.stringify({ type: 'response.create', store: false, ...message }));
  await done;
  return events;
}

const said = (events) => events.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta).join('');

for (const [name, chosen] of Object.entries(model)) {
  test(`npm ws: a response, and one that goes on with it: ${name}`, async () => {
    const socket = await connect();
    const first = await ask(socket, { model: chosen, input: 'Is it full?' });
    assert.equal(first.at(-1).type, 'response.completed');
    assert.equal(said(first), text);
    assert.deepEqual(first.map(({ sequence_number }) => sequence_number), first.map((_, i) => i));
    const { id, output } = first.at(-1).response;
    const next = await ask(socket, { model: chosen, previous_response_id: id, input: [{ role: 'user', content: 'Really?' }] });
    assert.equal(said(next), text);
    const { body } = world.upstream.asked.filter(({ by }) => by.includes(chosen.split('@').at(-1))).at(-1);
    const whole = JSON.stringify(body);
    assert.ok(whole.includes('Is it full?') && whole.includes('Really?') && whole.includes('71 %'), whole);
    assert.ok(output.length > 0);
    socket.close();
    const [code] = await once(socket, 'close');
    assert.equal(code, 1000);
  });
}

test('npm ws: 50 turns over one connection, with faults in between', async () => {
  const socket = await connect();
  let previous;
  for (let turn = 0; turn < 50; ++turn) {
    const chosen = [model.text, model.translated, model.refused, model.cut][turn % 4];
    const events = await ask(socket, {
      model: chosen, input: [{ role: 'user', content: `Question ${turn}` }], ...(previous && { previous_response_id: previous }),
    });
    assert.equal(events.at(-1).type, 'response.completed', JSON.stringify(events.at(-1)));
    assert.equal(said(events), text);
    previous = events.at(-1).response.id;
  }
  const { body } = world.upstream.asked.at(-1);
  for (let turn = 0; turn < 50; ++turn) {
    assert.ok(JSON.stringify(body).includes(`Question ${turn}`));
  }
  socket.close();
});

test('npm ws: large messages, compressed ones offered, and a pong for a ping', async () => {
  const socket = await connect({ perMessageDeflate: true });
  assert.equal(socket.extensions, '');
  const events = await ask(socket, { model: model.text, input: 'a'.repeat(5_000_000) });
  assert.equal(said(events), text);
  socket.ping('there?');
  const [payload] = await once(socket, 'pong');
  assert.equal(String(payload), 'there?');
  socket.send(Buffer.from([1, 2, 3]));
  const [code] = await once(socket, 'close');
  assert.equal(code, 1003);
});

test('npm ws: what cannot be answered is an event', async () => {
  const socket = await connect();
  const [unknown] = await ask(socket, { model: model.text, previous_response_id: 'resp_x', input: [] });
  assert.deepEqual([unknown.type, unknown.status, unknown.error.code], ['error', 400, 'previous_response_not_found']);
  const [wrong] = await ask(socket, { model: 7 });
  assert.equal(wrong.status, 400);
  const good = await ask(socket, { model: model.text, input: 'Is it full?' });
  assert.equal(said(good), text);
  socket.terminate();
});

test('npm ws: without the key, the handshake is refused', async () => {
  const socket = new WebSocket(`${world.url.replace('http', 'ws')}/v1/responses`);
  const [error] = await once(socket, 'error');
  assert.match(error.message, /401/);
});

test("OpenAI's SDK over a WebSocket", async () => {
  const sdk = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: key });
  const connection = new ResponsesWS(sdk);
  await once(connection.socket, 'open');
  let got = '';
  const done = new Promise((resolve, reject) => {
    connection.on('response.output_text.delta', ({ delta }) => { got += delta; });
    connection.on('response.completed', resolve);
    connection.on('error', reject);
  });
  connection.send({ type: 'response.create', model: model.refused, input: 'Is it full?' });
  await done;
  assert.equal(got, text);
  connection.close();
});
