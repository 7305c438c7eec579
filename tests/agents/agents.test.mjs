// One task with one shell call for each agent, before an overloaded primary of its own maker and a strict back end of
// another one: the agent finishes as if nothing had happened.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { tools_of } from './bodies.mjs';
import { perform, with_agent } from './perform.mjs';
import { back_ends, Stage } from './stage.mjs';

/** [agent, its maker, the back ends that take over]. Claude Code and Codex take a second, opencode ten. */
const every = Object.keys(back_ends);
const plan = [
  ['Claude Code', 'anthropic', every.filter((one) => !one.startsWith('anthropic'))],
  ['Codex', 'openai-responses', every.filter((one) => one !== 'openai-responses')],
  ['Codex, code mode', 'openai-responses', every.filter((one) => one !== 'openai-responses')],
  ['Codex, built-in provider', 'openai-responses', ['anthropic']],
  ['opencode, Messages', 'anthropic', ['openai-chat', 'openai-responses']],
  ['opencode, Chat', 'openai-chat', ['anthropic']],
  ['opencode, Responses', 'openai-responses', ['anthropic']],
];

for (const [name, primary, fallback] of plan.flatMap(([agent, maker, all]) => all.map((one) => [agent, maker, one]))) {
  const title = `${name} continues with ${fallback}`;
  with_agent(name, title, { runs: 2 }, async (t, agent, program) => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-agents-'));
    const stage = new Stage(folder, { primary, fallback, args: agent.args('echo ran >> ran.txt', back_ends[fallback][1]) });
    let end;
    try {
      await stage.begin();
      end = await perform(agent, program, stage, back_ends[fallback][1]);
    } finally {
      await stage.end();
    }
    const requests = stage.said('request').filter((one) => one.method === 'POST');
    const turns = requests.filter((one) => tools_of(JSON.parse(one.body)).length > 0);
    const losses = [...new Set(stage.calls.flatMap((call) => call.report.attempts.flatMap((one) => one.losses ?? [])))];
    t.diagnostic(`calls of the agent ${stage.calls.length}, requests to the primary ${stage.overloaded.requests.length}, ` +
      `to the fallback ${requests.length} (${turns.length} with tools)`);
    t.diagnostic(`losses: ${losses.join(', ') || 'none'}`);
    for (const warning of new Set(stage.said('warning').map((one) => `${one.rule}: ${one.message}`))) {
      t.diagnostic(`a rule that is not enforced: ${warning}`);
    }
    stage.proxy.asked.length && t.diagnostic(`asked the proxy for ${[...new Set(stage.proxy.asked)].join(', ')}`);
    const story = () => `${end.out}\n${end.err}\n${stage.log}`;

    assert.deepEqual(stage.said('refusal').map((one) => one.message), [], 'the fallback refuses nothing');
    assert.deepEqual([end.code, end.signal], [0, null], story());
    assert.ok(end.out.includes(`This is an answer of the strict double of ${fallback}.`), story());
    assert.equal(await readFile(join(folder, 'scratch/ran.txt'), 'utf8').catch(() => ''), 'ran\n', 'the call ran once');
    assert.equal(turns.length, 2, 'one request for each turn');
    assert.equal(requests.length, stage.calls.length, 'one request for each call of the agent');
    assert.ok(stage.overloaded.requests.length > 0, 'the primary was asked');
    for (const call of stage.calls) {
      const answer = call.report.attempts.at(-1);
      assert.equal(call.status, 200, story());
      assert.deepEqual([answer.member.split('/')[0], answer.outcome], ['fallback', 'answered'], call.report.why);
    }
    // What the agent offered arrives, or is named.
    const offered = stage.overloaded.requests.find((one) => tools_of(one).length > 0);
    const arrived = new Set(tools_of(JSON.parse(turns[0].body)));
    const unsaid = tools_of(offered ?? {}).filter((one) => !arrived.has(one) && !losses.some((loss) => loss.includes(one)));
    assert.deepEqual(unsaid, [], 'tools that are lost without a word');
    assert.equal(stage.gateway_code, 0);
    assert.ok(!/primary-key|fallback-key|the-gateways-key/.test(stage.log), 'no secret in the log');
    await rm(folder, { recursive: true, force: true });
  });
}
