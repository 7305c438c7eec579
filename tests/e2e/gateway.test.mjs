// The official clients before `understudy serve` (PROGRAM in the environment), and providers behind it:
// each client's protocol with each provider's, in each way that a client can ask. The clients' own retries
// are on.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { chat, messages, responses } from './clients.mjs';
import { protocols, usage } from './protocols.mjs';
import { level } from './upstream.mjs';
import { key, World } from './world.mjs';

const clients = [chat, messages, responses];
const providers = Object.keys(protocols);
const ways = ['whole', 'stream', 'helper'];
const streamed = ['stream', 'helper'];
const text = 'It is 71 %.';

const tests = [];
const usual = new World('15s');
const eager = new World('200ms'); // sends comments soon

/**
 * Defines a test for each client, provider and way. `chain` names who answers, see world.mjs; no other test has
 * those providers, so that nothing is held against them and all tests run side by side.
 */
function each(title, { world = usual, of = clients, at = providers, by = ways, chain }, run) {
  for (const client of of) {
    for (const provider of at) {
      for (const way of by) {
        const id = tests.length;
        const model = chain(provider).split(' ').map((member) => `${member}@${id}`).join(' ');
        world.models.push(model);
        tests.push([`${title}: ${client.name} to ${provider}, ${way}`, async () => {
          const sdk = client.make(world.url, { apiKey: key, maxRetries: 0 });
          await run({
            client, provider, way, model, sdk,
            ask: (what, options, on_text) => client[way](sdk, client.request(model, what), options, on_text),
            asked: () => world.upstream.asked.filter(({ by }) => by.endsWith(`-${id}`)),
          });
        }]);
      }
    }
  }
}
const lone = (behaviour) => (provider) => `${behaviour}@${provider}`;

/** What rejects the promise; a failed test if nothing does. */
async function rejection(promise) {
  const outcome = await promise.then((value) => ({ value }), (error) => ({ error }));
  assert.ok(outcome.error, `no error, but ${JSON.stringify(outcome.value)}`);
  return outcome.error;
}

/** What the promise gives, if it does so within two seconds. */
const soon = (promise) => Promise.race([promise, sleep(2000, 'too late', { ref: false })]);

// --- answers

each('text', { chain: lone('text') }, async ({ ask, asked, provider }) => {
  const { model, ...got } = await ask();
  assert.deepEqual(got, { text, thinking: '', calls: [], stop: 'end', usage });
  const [{ body, protocol }, ...more] = asked();
  assert.equal(protocol, provider);
  assert.equal(protocols[provider].system(body), 'You watch tanks.');
  assert.equal(more.length, 0);
});

each('from a provider that does not stream', { chain: lone('unstreamed-text') }, async ({ ask, asked }) => {
  const got = await ask();
  assert.deepEqual([got.text, got.stop, got.usage], [text, 'end', usage]);
  assert.ok(!asked()[0].body.stream);
});

each('cut by max_tokens', { chain: lone('short') }, async ({ ask }) => {
  const got = await ask();
  assert.deepEqual([got.text, got.stop], [text, 'length']);
});

each('thinking', { chain: lone('thinking') }, async ({ ask, client, way }) => {
  const got = await ask();
  assert.equal(got.text, text);
  // Of what the Chat Completions API does not have, OpenAI's helper keeps the last piece alone.
  assert.equal(got.thinking, client === chat && way === 'helper' ? 'first.' : 'Look first.');
});

each('an image', { chain: lone('text') }, async ({ ask, asked, provider }) => {
  const image = Buffer.from('\x89PNG, or nearly').toString('base64');
  await ask({ image });
  assert.deepEqual(protocols[provider].images(asked()[0].body), [['image/png', image]]);
});

each('a schema for the answer', { chain: lone('json') }, async ({ ask, asked, provider }) => {
  const got = await ask({ schema: level });
  assert.deepEqual(JSON.parse(got.text), { tank: 'north' });
  assert.deepEqual(protocols[provider].schema(asked()[0].body), level);
});

each('comments as long as nothing comes', { world: eager, by: streamed, chain: lone('late') }, async ({ ask }) => {
  assert.equal((await ask()).text, text);
});

each('heartbeats amid the answer: pings, keepalives and comments', { world: eager, by: streamed, chain: lone('pausing') },
  async ({ ask }) => {
    const got = await ask();
    assert.deepEqual([got.text, got.stop, got.usage], [text, 'end', usage]);
  });

each('no usage that was not asked for', { of: [chat], by: ['stream'], chain: lone('text') },
  async ({ client, sdk, model }) => {
    for await (const chunk of await sdk.chat.completions.create({ ...client.request(model), stream: true })) {
      assert.ok(chunk.choices.length && !chunk.usage, JSON.stringify(chunk));
    }
  });

each('who answered is in the head', { by: ['whole'], chain: lone('text') }, async ({ client, sdk, model }) => {
  const { response } = await client.api(sdk).create(client.request(model)).withResponse();
  assert.equal(response.headers.get('x-understudy-member'), `${model.replaceAll('@', '-')}/text`);
  assert.equal(response.headers.get('x-understudy-attempts'), '1');
});

// --- tools

each('a tool is called, and its result comes back', { chain: lone('tool') },
  async ({ ask, asked, client, way, sdk, model, provider }) => {
    const called = await ask({ tools: true });
    assert.deepEqual(called.calls.map(([, ...call]) => call), [['read_level', { tank: 'north' }]]);
    assert.equal(called.stop, 'call');
    const then = client.after(client.request(model, { tools: true }), called, ['71 %']);
    const said = await client[way](sdk, then);
    assert.deepEqual([said.text, said.stop], ['Found: 71 %;', 'end']);
    const bodies = asked().map(({ body }) => body);
    assert.deepEqual(bodies.map(protocols[provider].tools), [[['read_level', level]], [['read_level', level]]]);
  });

each('two calls at once', { chain: lone('tools') }, async ({ ask, client, way, sdk, model }) => {
  const called = await ask({ tools: true });
  assert.deepEqual(called.calls.map(([, , input]) => input.tank), ['north', 'south']);
  assert.equal(new Set(called.calls.map(([id]) => id)).size, 2);
  const then = client.after(client.request(model, { tools: true }), called, ['71 %', '12 %']);
  assert.equal((await client[way](sdk, then)).text, 'Found: 71 %;12 %;');
});

each("the client's own loop", { of: [chat, messages], by: ['run', 'run_streamed'], chain: lone('tools') },
  async ({ client, way, sdk, model }) => {
    const read_level = ({ tank }) => `${tank} 71 %`;
    const said = await client.loop(sdk, client.request(model), read_level, way === 'run_streamed');
    assert.equal(said, 'Found: north 71 %;south 71 %;');
  });

// --- failover is not seen

const other = { chat: 'messages', messages: 'responses', responses: 'chat' };
for (const trouble of ['silent', 'busy', '429', '401']) {
  const world = trouble === 'silent' ? eager : usual;
  each(`${trouble}, then text`, { world, chain: (lead) => `${trouble}@${lead} text@${other[lead]}` },
    async ({ ask, asked, provider }) => {
      const { model, ...got } = await ask();
      assert.deepEqual(got, { text, thinking: '', calls: [], stop: 'end', usage });
      // And the next call does not wait for the sick one again.
      assert.equal((await ask()).text, text);
      const to_lead = asked().filter(({ protocol }) => protocol === provider);
      assert.equal(to_lead.length, 1);
      if (trouble === 'silent') {
        assert.equal(await soon(to_lead[0].closed), true);
      }
    });
}

// --- errors

const overloaded = (client) => (client === messages ? ['OverloadedError', 529] : ['InternalServerError', 503]);
for (const [behaviour, error_of, attempts, said, again] of [
  ['400', () => ['BadRequestError', 400], 1, 'temperature', 'false'],
  ['401', () => ['AuthenticationError', 401], 1, 'x-api-key', 'false'],
  ['429', () => ['RateLimitError', 429], 1, 'Too many', 'true'],
  ['429-in-300', () => ['RateLimitError', 429], 1, 'Too many', 'false'],
  ['busy', overloaded, 3, 'Overloaded', 'true'],
]) {
  each(behaviour, { chain: lone(behaviour) }, async ({ ask, asked, client }) => {
    const error = await rejection(ask());
    const [class_name, status] = error_of(client);
    assert.ok(error instanceof client.errors[class_name], error.constructor.name);
    assert.equal(error.status, status);
    assert.ok(error.message.includes(said), error.message);
    assert.equal(asked().length, attempts);
    assert.equal(error.headers.get('x-should-retry'), again);
    if (behaviour === '429-in-300') {
      assert.ok(error.headers.get('retry-after') > 290);
    }
  });
}

each('a client waits for as long as a provider has asked', { chain: lone('429-in-1') }, async ({ ask, asked }) => {
  assert.equal((await ask({}, { maxRetries: 1 })).text, text);
  assert.equal(asked().length, 2);
});

each('an error after comments', { world: eager, by: streamed, chain: lone('late-401') },
  async ({ ask, asked, client }) => {
    const error = await rejection(ask());
    assert.ok(error instanceof client.errors.APIError, error.constructor.name);
    assert.ok(error.message.includes('x-api-key'), error.message);
    assert.equal(asked().length, 1);
  });

for (const [behaviour, what] of [
  ['cut', 'the connection breaks amid the answer'],
  ['ends', 'the body ends before the answer'],
  ['fails', 'an error amid the answer'],
]) {
  each(what, { by: streamed, chain: lone(behaviour) }, async ({ ask, asked, client }) => {
    let heard = '';
    const error = await rejection(ask({}, {}, (token) => (heard += token)));
    assert.ok(error instanceof client.errors.APIError, error.constructor.name);
    assert.ok('It is '.startsWith(heard) && heard, heard);
    assert.ok(asked().length <= 1 + 4, `${asked().length}: it may resume its own answer, but not for ever`);
  });
  each(what, { by: ['whole'], chain: lone(behaviour) }, async ({ ask, client }) => {
    const error = await rejection(ask());
    assert.ok(error instanceof client.errors.InternalServerError, error.constructor.name);
  });
  each(`${what}, then text`, { by: ['whole'], chain: (lead) => `${behaviour}@${lead} text@${other[lead]}` },
    async ({ ask }) => {
      assert.equal((await ask()).text, text);
    });
  each(`${what}, and another goes on`, { by: streamed, chain: (lead) => `${behaviour}@${lead} text@${other[lead]}` },
    async ({ ask, asked }) => {
      let heard = '';
      const got = await ask({}, {}, (token) => (heard += token));
      assert.deepEqual([got.text, got.stop, heard], [text, 'end', text]);
      assert.equal(asked().length, 2);
    });
}

each('the connection breaks amid a call, and another makes it', {
  by: streamed, chain: (lead) => `looks-cut@${lead} looks@${other[lead]}`,
}, async ({ ask, asked }) => {
  const got = await ask({ tools: true });
  assert.deepEqual([got.text, got.stop], ['Let me look.', 'call']);
  assert.deepEqual(got.calls.map(([, ...call]) => call), [['read_level', { tank: 'north' }]]);
  assert.equal(asked().length, 2);
});

// --- leaving

for (const [behaviour, when, world] of [
  ['slow', 'amid the answer', usual],
  ['silent', 'before the answer', usual],
  ['silent', 'after comments', eager],
]) {
  each(`the client leaves ${when}`, { world, chain: lone(behaviour) }, async ({ ask, asked, way, client }) => {
    const leaving = new AbortController();
    let heard = 0;
    const answer = ask({}, { signal: leaving.signal }, () => (heard += 1) === 3 && leaving.abort());
    if (behaviour === 'silent' || way === 'whole') {
      while (asked().length === 0) {
        await sleep(10);
      }
      await sleep(300);
      leaving.abort();
    }
    const outcome = await answer.catch((error) => ({ error }));
    if (way === 'stream' && !outcome.error) {
      assert.equal(outcome.stop, undefined); // the plain streams end without a word
    } else {
      assert.ok(outcome.error instanceof client.errors.APIUserAbortError, JSON.stringify(outcome));
    }
    assert.equal(await soon(asked()[0].closed), true);
    assert.equal(asked().length, 1);
  });
}

// --- what the gateway itself answers

for (const client of clients) {
  const refused = (title, ask, class_name) =>
    tests.push([`${title}: ${client.name}`, async () => {
      const error = await rejection(ask(client.make(usual.url, { apiKey: key, maxRetries: 0 })));
      assert.ok(error instanceof client.errors[class_name], `${error.constructor.name}: ${error.message}`);
    }]);
  for (const way of ways) {
    refused(`a wrong key, ${way}`,
      (sdk) => client[way](sdk.withOptions({ apiKey: 'another' }), client.request(usual.models[0])),
      'AuthenticationError');
    refused(`a model that nobody has, ${way}`, (sdk) => client[way](sdk, client.request('none')), 'NotFoundError');
    refused(`a request that is none, ${way}`,
      (sdk) => client[way](sdk, { ...client.request(usual.models[0]), temperature: 'warm' }), 'BadRequestError');
  }
  tests.push([`models: ${client.name}`, async () => {
    const sdk = client.make(usual.url, { apiKey: key, maxRetries: 0 });
    const listed = [];
    for await (const { id } of sdk.models.list()) {
      listed.push(id);
    }
    assert.deepEqual(listed.sort(), [...usual.models].sort());
    assert.equal((await sdk.models.retrieve(usual.models[0])).id, usual.models[0]);
    assert.ok((await rejection(sdk.models.retrieve('none'))) instanceof client.errors.NotFoundError);
  }]);
}

each('a conversation that one provider keeps', { of: [responses], chain: lone('text') },
  async ({ asked, client, provider, way, sdk, model }) => {
    const answer = client[way](sdk, { ...client.request(model), previous_response_id: 'resp_0' });
    if (provider === 'responses') {
      assert.equal((await answer).text, text);
      assert.equal(asked()[0].body.previous_response_id, 'resp_0');
    } else {
      assert.ok((await rejection(answer)) instanceof client.errors.BadRequestError);
      assert.equal(asked().length, 0);
    }
  });

describe('the official clients before the gateway', { concurrency: 16 }, () => {
  before(() => Promise.all([usual, eager].map((world) => world.begin(process.env.PROGRAM))));
  after(() => Promise.all([usual, eager].map((world) => world.end())));
  for (const [title, run] of tests) {
    test(title, { timeout: 20_000 }, run);
  }
});
