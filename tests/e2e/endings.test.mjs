// Answers that end badly (endings.mjs), and the official clients before `understudy serve` (PROGRAM in the
// environment): each client either throws or has the whole answer. A truncated answer never passes for a whole one.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import OpenAI6 from 'openai6';

import { chat, messages, responses } from './clients.mjs';
import { cuts, endings } from './endings.mjs';
import { protocols } from './protocols.mjs';
import { answer, looks, says } from './upstream.mjs';
import { key, World } from './world.mjs';

const of_6 = (client) => ({
  ...client, name: `${client.name} of openai 6`, errors: OpenAI6,
  make: (url, options) => new OpenAI6({ baseURL: `${url}/v1`, ...options }),
});
const clients = [chat, of_6(chat), messages, responses, of_6(responses)];
const providers = Object.keys(protocols);
const other = { chat: 'messages', messages: 'responses', responses: 'chat' };
const answers = { text: answer, looks };
const own_words = says('The tank ', 'is nearly ', 'full, OVER.');

const text_of = ({ parts }) => parts.flatMap((part) => part.text ?? []).join('');
const calls_of = ({ parts }) => parts.flatMap(({ call }) => (call ? [[call.name, call.input]] : []));
const is = (got, wanted) =>
  JSON.stringify([got.text, got.calls.map(([, ...call]) => call), got.stop])
    === JSON.stringify([text_of(wanted), calls_of(wanted), wanted.stop]);
const mended = (got) => JSON.parse(JSON.stringify(got).replaceAll('\ufffd', ''));

/** Whether it is right for a client to have got this ({got} or {error}), by who there is to take over. */
const right = {
  // Alone it breaks each time; but after a whole call the answer ends there (docs/failover.md 9.2).
  lone: ({ got, error }, wanted, gives) =>
    (gives === 'broken' ? error || (got.stop === 'call' && is(got, wanted)) : got && is(got, wanted)),
  again: ({ got }, wanted) => got && is(got, wanted),
  // It goes on in its own words, from where the answer broke or from the start; or the client is told.
  own: ({ got, error }, wanted, gives) =>
    (error ? gives === 'broken' : is(got, wanted) || (got.stop === 'end' && got.text.endsWith('OVER.'))),
};

const worlds = [];
/** By client: the answers that it read, and how many of them were errors. */
const counts = Object.fromEntries(clients.map(({ name }) => [name, { answers: 0, errors: 0 }]));

/**
 * A gateway before a lead that edits its answer, asked by each client in each way. `takes_over` lists who is behind
 * the lead, as [what it says, its protocol].
 */
function spoil({ title, wanted, provider, gives, edit, then, takes_over, ways, of = clients }) {
  const world = new World('15s');
  world.upstream.behaviours = {
    lead: () => ({ answer: wanted, edit: (frames) => edit(frames, provider), then }),
    again: () => ({ answer: wanted }),
    own: () => ({ answer: own_words }),
  };
  const asks = [];
  for (const [follows, protocol] of takes_over) {
    for (const client of of) {
      for (const way of ways) {
        const id = asks.length;
        const model = `lead@${provider}@${id}${follows === 'lone' ? '' : ` ${follows}@${protocol}@${id}`}`;
        world.models.push(model);
        asks.push(async () => {
          const sdk = client.make(world.url, { apiKey: key, maxRetries: 0 });
          const outcome = await client[way](sdk, client.request(model, { tools: wanted === looks }))
            .then((got) => ({ got: gives === 'mended' ? mended(got) : got }), (error) => ({ error }));
          const typed = !outcome.error || outcome.error instanceof client.errors.APIError;
          counts[client.name].answers += 1;
          counts[client.name].errors += outcome.error ? 1 : 0;
          return typed && right[follows](outcome, wanted, gives) ? [] : [`${client.name}, ${way}, ${follows} ${protocol ?? ''}: ${
            outcome.error?.stack ?? JSON.stringify(outcome.got)}`];
        });
      }
    }
  }
  worlds.push([title, async () => {
    await world.begin(process.env.PROGRAM);
    try {
      const wrong = (await Promise.all(asks.map((ask) => ask()))).flat();
      assert.ok(!wrong.length, `${wrong.length} of ${asks.length} wrong\n${wrong.slice(0, 5).join('\n')}`);
    } finally {
      await world.end();
    }
  }]);
}

for (const { name, spoils, gives, edit, then } of endings) {
  for (const provider of Object.keys(gives)) {
    spoil({
      title: `${name}, from ${provider}`, wanted: answers[spoils], provider, gives: gives[provider], edit, then,
      takes_over: [['lone'], ['again', other[provider]], ['own', other[provider]]], ways: ['whole', 'stream', 'helper'],
    });
  }
}

for (const [what, wanted] of Object.entries(answers)) {
  for (const provider of providers) {
    cuts(wanted, provider).forEach((edit, n) => {
      spoil({
        title: `${what} from ${provider} is cut behind event ${n}, and another resumes it`, wanted, provider, gives: 'broken', edit,
        takes_over: providers.map((protocol) => ['again', protocol]), ways: ['stream', 'helper'],
        then: n % 2 ? 'cut' : undefined,
      });
    });
  }
}

const only = new RegExp(process.env.ONLY ?? '');
describe('answers that end badly', { concurrency: 4 }, () => {
  after(() => console.table(counts));
  for (const [title, run] of worlds.filter(([title]) => only.test(title))) {
    test(title, { timeout: 60_000 }, run);
  }
});
