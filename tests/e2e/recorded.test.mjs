// The recorded answers of tests/data (DATA in the environment) behind `understudy serve` (PROGRAM), read by the official
// clients: what a client's own helper makes of the stream is what the gateway answers as a whole, and that is what the
// provider itself would have answered, members that the client does not know among it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import OpenAI6 from 'openai6';

import { chat, messages, responses } from './clients.mjs';
import { answer } from './upstream.mjs';
import { key, World } from './world.mjs';

const of_6 = (client) => ({
  ...client, name: `${client.name} of openai 6`, make: (url, options) => new OpenAI6({ baseURL: `${url}/v1`, ...options }),
});
const clients = [chat, of_6(chat), messages, responses, of_6(responses)];
const speaks = { anthropic: 'messages', openai_responses: 'responses', openai_chat: 'chat', azure: 'chat' };

const recorded = ['whole_answers', 'fixtures'].flatMap((folder) => {
  const at = `${process.env.DATA}/${folder}`;
  return readdirSync(at).filter((file) => file.endsWith('.sse')).map((file) => {
    const name = file.slice(0, -4);
    const whole = `${at}/${name}.json`;
    return {
      name, bytes: readFileSync(`${at}/${file}`),
      protocol: Object.entries(speaks).find(([maker]) => name.startsWith(maker))?.[1],
      whole: existsSync(whole) ? JSON.parse(readFileSync(whole)) : undefined,
    };
  });
}).filter(({ name, protocol }) => protocol && !/stall|error|truncated|output_empty/.test(name));

/** What the client's helper accumulates, as it is. */
const accumulated = {
  chat: (sdk, request) => sdk.chat.completions.stream(
    { ...request, stream_options: { include_usage: true } }).finalChatCompletion(),
  messages: (sdk, request) => sdk.messages.stream(request).finalMessage(),
  responses: (sdk, request) => sdk.responses.stream(request).finalResponse(),
};

/** Without what the clients add of their own (`added`), and with arguments as values. */
const added = ['parsed', 'parsed_arguments', 'output_parsed', 'output_text', '_request_id'];
const is_empty = (block) => block?.type === 'text' && block.text === '';
const plain = (value) => JSON.parse(JSON.stringify(value, (name, one) => (
  added.includes(name) ? undefined
    : name === 'arguments' ? JSON.parse(one || '{}')
    : Array.isArray(one) ? one.filter((block) => !is_empty(block)) : one)));

/** What the helpers cannot accumulate: of members that they do not know they keep the last piece alone. */
const forgotten = {
  openai_chat_calls: ['finish_reason', 'content'], // `stop` as the provider streams it, though there are calls
  openai_chat_choices: ['annotations'],
  openai_chat_reasoning_details: ['reasoning', 'reasoning_details'],
};
/** On these the helpers of openai 6 throw: on a custom call, and on items that begin out of turn. */
const too_new = ['openai_chat_calls', 'openai_responses_items'];

/** `of` without the members that `as` does not have. */
function known(of, as) {
  if (Array.isArray(of) && Array.isArray(as)) {
    return of.map((one, i) => known(one, as[i]));
  }
  return of && as && typeof of === 'object' && typeof as === 'object' && !Array.isArray(of)
    ? Object.fromEntries(Object.entries(of).filter(([name]) => name in as).map(([name, one]) => [name, known(one, as[name])]))
    : of;
}

const world = new World('15s');
world.upstream.behaviours = Object.fromEntries(
  recorded.map(({ name, bytes }) => [name, () => ({ answer, edit: () => [bytes] })]));
const tests = [];
recorded.forEach(({ name, protocol, whole: theirs }) => {
  for (const client of clients) {
    const model = `${name}@${protocol}@${tests.length}`;
    world.models.push(model);
    tests.push([`${name}: ${client.name}`, async () => {
      const sdk = client.make(world.url, { apiKey: key, maxRetries: 0 });
      const kind = client.name.split(' ')[0];
      const { data: whole, response } = await client.api(sdk).create(client.request(model)).withResponse();
      assert.equal(response.status, 200);
      if (kind === protocol) {
        const without = (value) => JSON.parse(JSON.stringify(plain(value), (member, one) => (
          forgotten[name]?.includes(member) ? undefined : one)));
        if (!client.name.endsWith('6') || !too_new.includes(name)) {
          const final = without(await accumulated[kind](sdk, client.request(model)));
          assert.deepEqual(known(final, without(whole)), known(without(whole), final), 'the stream and the whole answer');
        }
        theirs && assert.deepEqual(plain(whole), plain(theirs), "the provider's own whole answer");
      } else {
        const [streamed, asked] = await Promise.all(
          ['stream', 'whole'].map((way) => client[way](sdk, client.request(model))));
        const names = (got) => ({ ...got, calls: got.calls.map(([, ...call]) => call), model: null });
        assert.deepEqual(names(streamed), names(asked));
      }
    }]);
  }
});

describe('recorded answers', { concurrency: 8 }, () => {
  before(() => world.begin(process.env.PROGRAM));
  after(() => world.end());
  for (const [title, run] of tests) {
    test(title, { timeout: 20_000 }, run);
  }
});
