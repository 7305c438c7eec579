// The cases of Open Responses' compliance suite (openresponses.org), rebuilt from its specification of 2026-04-24: seven
// plain ones, seven over a WebSocket, and two of the compaction endpoint. What is translated from another protocol has
// every required member with its type; what a Responses provider writes is its own.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import WebSocket from 'ws';

import { key, World } from './world.mjs';

const world = new World('15s');
const upstreams = { responses: 'text@responses@c1', messages: 'text@messages@c2', chat: 'text@chat@c3' };
const callers = { responses: 'tool@responses@c4', messages: 'tool@messages@c5', chat: 'tool@chat@c6' };
world.models.push(...Object.values(upstreams), ...Object.values(callers));

before(() => world.begin(process.env.PROGRAM));
after(() => world.end());

const text = (value) => typeof value === 'string';
const flag = (value) => typeof value === 'boolean';
const number = (value) => typeof value === 'number';
const whole = (value) => Number.isInteger(value);
const list = (value) => Array.isArray(value);
const object = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const or_null = (type) => (value) => value === null || type(value);
const one_of = (...words) => (value) => words.includes(value);

/** The required members of a response. */
const response_members = {
  id: text, object: one_of('response'), created_at: whole, completed_at: or_null(whole), status: text,
  incomplete_details: or_null(object), model: text, previous_response_id: or_null(text), instructions: or_null(text),
  output: list, error: or_null(object), tools: list, tool_choice: (value) => text(value) || object(value),
  truncation: one_of('auto', 'disabled'), parallel_tool_calls: flag, text: object, top_p: number,
  presence_penalty: number, frequency_penalty: number, top_logprobs: whole, temperature: number,
  reasoning: or_null(object), usage: or_null(object), max_output_tokens: or_null(whole), max_tool_calls: or_null(whole),
  store: flag, background: flag, service_tier: text, metadata: () => true, safety_identifier: or_null(text),
  prompt_cache_key: or_null(text),
};
const usage_members = {
  input_tokens: whole, output_tokens: whole, total_tokens: whole, input_tokens_details: object, output_tokens_details: object,
};
const tool_members = { type: one_of('function'), name: text, description: or_null(text), parameters: or_null(object), strict: or_null(flag) };
const item_members = {
  message: { id: text, status: text, role: text, content: list },
  function_call: { id: text, call_id: text, name: text, arguments: text, status: text },
  reasoning: { id: text, summary: list },
};
const part_members = {
  output_text: { text, annotations: list, logprobs: list },
  refusal: { refusal: text },
};
const in_item = { item_id: text, output_index: whole, sequence_number: whole };
const in_part = { ...in_item, content_index: whole };
const event_members = {
  'response.created': { sequence_number: whole, response: object },
  'response.in_progress': { sequence_number: whole, response: object },
  'response.completed': { sequence_number: whole, response: object },
  'response.output_item.added': { output_index: whole, sequence_number: whole, item: object },
  'response.output_item.done': { output_index: whole, sequence_number: whole, item: object },
  'response.content_part.added': { ...in_part, part: object },
  'response.content_part.done': { ...in_part, part: object },
  'response.output_text.delta': { ...in_part, delta: text },
  'response.output_text.done': { ...in_part, text },
  'response.function_call_arguments.delta': { ...in_item, delta: text },
  'response.function_call_arguments.done': { ...in_item, arguments: text },
};

function check(value, members, what) {
  for (const [name, type] of Object.entries(members)) {
    assert.ok(name in value && type(value[name]), `${what}: ${name} is ${JSON.stringify(value[name])}`);
  }
}

function check_response(response) {
  check(response, response_members, 'response');
  assert.ok(object(response.text.format), 'text.format');
  response.usage && check(response.usage, usage_members, 'usage');
  response.tools.forEach((tool) => check(tool, tool_members, 'tool'));
  for (const item of response.output) {
    assert.ok(item.type in item_members, `an item of type ${item.type}`);
    check(item, item_members[item.type], item.type);
    (item.content ?? []).forEach((part) => check(part, part_members[part.type] ?? { unknown: text }, part.type));
  }
}

function check_events(events) {
  for (const event of events) {
    check(event, event_members[event.type] ?? { unknown: text }, event.type);
    event.response && check_response(event.response);
  }
  assert.deepEqual(events.map(({ sequence_number }) => sequence_number), events.map((_, i) => i));
}

const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
const user = (content) => ({ type: 'message', role: 'user', content });
const weather = {
  type: 'function', name: 'read_level', description: 'The level of a tank',
  parameters: { type: 'object', properties: { tank: { type: 'string' } }, required: ['tank'] },
};

async function post(path, body) {
  return fetch(`${world.url}/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function respond(body) {
  const got = await post('/responses', body);
  assert.equal(got.status, 200);
  return got.json();
}

async function stream(body) {
  const got = await post('/responses', { ...body, stream: true });
  assert.equal(got.status, 200);
  const frames = (await got.text()).split('\n\n').map((frame) => /^data: (.*)$/m.exec(frame)?.[1]);
  return frames.filter((data) => data && data !== '[DONE]').map((data) => JSON.parse(data));
}

const cases = {
  'basic response': { input: [user('Say hello in three words.')] },
  'system prompt': { input: [{ type: 'message', role: 'system', content: 'Speak like a pirate.' }, user('Say hello.')] },
  'multi-turn conversation': {
    input: [user('My name is Alice.'), { type: 'message', role: 'assistant', content: 'Hello Alice!' }, user('What is my name?')],
  },
  'image input': {
    input: [user([
      { type: 'input_text', text: 'What is in this image?' },
      { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==' },
    ])],
  },
};

for (const [upstream, model] of Object.entries(upstreams)) {
  const translated = upstream !== 'responses';
  for (const [name, body] of Object.entries(cases)) {
    test(`${name}, from ${upstream}`, async () => {
      const response = await respond({ model, ...body });
      assert.equal(response.status, 'completed');
      assert.ok(response.output.length > 0);
      translated && check_response(response);
    });
  }
  test(`streaming response, from ${upstream}`, async () => {
    const events = await stream({ model, input: [user('Count from 1 to 5.')] });
    assert.equal(events.at(-1).type, 'response.completed');
    assert.equal(events.at(-1).response.status, 'completed');
    translated && check_events(events);
  });
  test(`tool calling, from ${upstream}`, async () => {
    const response = await respond({ model: callers[upstream], input: [user('How full is the north tank?')], tools: [weather] });
    assert.ok(response.output.some(({ type }) => type === 'function_call'));
    translated && check_response(response);
  });
  test(`tool calling, streamed, from ${upstream}`, async () => {
    const events = await stream({ model: callers[upstream], input: [user('How full is the north tank?')], tools: [weather] });
    const types = events.map(({ type, item }) => (item ? `${type} ${item.type}` : type));
    for (const wanted of ['response.output_item.added function_call', 'response.function_call_arguments.delta',
      'response.function_call_arguments.done', 'response.output_item.done function_call']) {
      assert.ok(types.includes(wanted), wanted);
    }
    translated && check_events(events);
  });
}

/** A WebSocket on which responses are asked for, one after the other. */
class Socket {
  static async open() {
    const one = new Socket();
    one.socket = new WebSocket(`${world.url.replace('http', 'ws')}/v1/responses`, { headers });
    await once(one.socket, 'open');
    return one;
  }

  /** The events of a response; or the error alone. */
  async ask(body) {
    const events = [];
    const done = new Promise((resolve, reject) => {
      const take = (data) => {
        const event = JSON.parse(data);
        events.push(event);
        if (['response.completed', 'response.failed', 'response.incomplete', 'error'].includes(event.type)) {
          this.socket.off('message', take);
          resolve();
        }
      };
      this.socket.on('message', take);
      this.socket.once('close', reject);
    });
    this.socket.send(JSON.stringify({ type: 'response.create', store: false, ...body }));
    await done;
    return events;
  }

  async close() {
    this.socket.close();
    await once(this.socket, 'close');
  }
}

const asked_last = () => JSON.stringify(world.upstream.asked.at(-1).body);

for (const [upstream, model] of Object.entries(upstreams)) {
  const good = (events) => {
    assert.equal(events.at(-1).type, 'response.completed', JSON.stringify(events.at(-1)));
    upstream !== 'responses' && check_events(events);
    return events.at(-1).response;
  };

  test(`WebSocket: a response, from ${upstream}`, async () => {
    const socket = await Socket.open();
    good(await socket.ask({ model, input: [user('Say hello.')] }));
    await socket.close();
  });

  test(`WebSocket: responses one after the other, from ${upstream}`, async () => {
    const socket = await Socket.open();
    const ids = new Set();
    for (let i = 0; i < 3; ++i) {
      ids.add(good(await socket.ask({ model, input: [user(`Question ${i}`)] })).id);
      assert.ok(!asked_last().includes(`Question ${i - 1}`), 'a request without an id is a new conversation');
    }
    assert.equal(ids.size, 3);
    await socket.close();
  });

  test(`WebSocket: continued by previous_response_id, from ${upstream}`, async () => {
    const socket = await Socket.open();
    const first = good(await socket.ask({ model, input: [user('My name is Alice.')] }));
    const next = good(await socket.ask({ model, previous_response_id: first.id, input: [user('What is my name?')] }));
    assert.equal(next.previous_response_id, first.id);
    assert.ok(asked_last().includes('My name is Alice.'));
    await socket.close();
  });

  test(`WebSocket: with store false, another connection does not know the response, from ${upstream}`, async () => {
    const [one, other] = [await Socket.open(), await Socket.open()];
    const first = good(await one.ask({ model, input: [user('My name is Alice.')] }));
    const [refused] = await other.ask({ model, previous_response_id: first.id, input: [user('What is my name?')] });
    assert.deepEqual([refused.type, refused.error.code], ['error', 'previous_response_not_found']);
    await Promise.all([one.close(), other.close()]);
  });

  test(`WebSocket: after a lost connection, with the full input, from ${upstream}`, async () => {
    const one = await Socket.open();
    const first = good(await one.ask({ model, input: [user('My name is Alice.')] }));
    one.socket.terminate();
    const other = await Socket.open();
    good(await other.ask({ model, input: [user('My name is Alice.'), ...first.output, user('What is my name?')] }));
    assert.ok(asked_last().includes('My name is Alice.'));
    await other.close();
  });

  test(`WebSocket: after a continuation that fails, the connection is still of use, from ${upstream}`, async () => {
    const socket = await Socket.open();
    const [refused] = await socket.ask({ model, previous_response_id: 'resp_unknown', input: [user('And now?')] });
    assert.equal(refused.type, 'error');
    assert.equal(refused.status, 400);
    assert.ok(text(refused.error.message) && text(refused.error.code));
    good(await socket.ask({ model, input: [user('Say hello.')] }));
    await socket.close();
  });
}

test('WebSocket: a new chain begins with what was compacted', async () => {
  const model = upstreams.responses;
  const socket = await Socket.open();
  const first = await socket.ask({ model, input: [user('My name is Alice.')] });
  const compacted = await (await post('/responses/compact', { model, input: [user('My name is Alice.')] })).json();
  const next = await socket.ask({ model, input: [...compacted.output, user('What is my name?')] });
  assert.equal(next.at(-1).type, 'response.completed');
  assert.notEqual(next.at(-1).response.id, first.at(-1).response.id);
  assert.ok(asked_last().includes('sealed-compaction'));
  await socket.close();
});

test('compaction endpoint', async () => {
  const got = await post('/responses/compact', { model: upstreams.responses, input: [user('My name is Alice.')] });
  assert.equal(got.status, 200);
  const compacted = await got.json();
  check(compacted, { id: text, object: one_of('response.compaction'), created_at: whole, output: list, usage: object }, 'compaction');
  assert.ok(compacted.output.some(({ type, encrypted_content }) => type === 'compaction' && text(encrypted_content)));
});

test('compaction endpoint, without the model that it needs', async () => {
  const got = await post('/responses/compact', { input: [user('My name is Alice.')] });
  assert.ok(got.status >= 400 && got.status < 500, `${got.status}`);
  const { error } = await got.json();
  assert.ok(text(error.message) && text(error.type));
});
