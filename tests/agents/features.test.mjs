// What agents do beside a shell call, while their maker is overloaded and a back end of another maker answers: they
// compact their conversation, search the web, start an agent of their own, and compress their requests.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { has_result, tools_of } from './bodies.mjs';
import { perform, shell_task, with_agent } from './perform.mjs';
import { back_ends, Stage } from './stage.mjs';

const ran = 'echo ran >> ran.txt';
// The first call alone is long: Codex compacts what is longer than its limit, here between the requests with and
// without it.
const long_once = `${ran}; [ -e long ] || { touch long; seq 1 8000; }`;
const all_tools = { agent_environment: { ENABLE_TOOL_SEARCH: 'false' } }; // else Claude Code looks for the tool first
const task = (agent, fallback) => shell_task(agent, back_ends[fallback][1]);

/**
 * Each feature: who has it, what its shell is called with, what it is asked one after the other, how often its shell
 * call runs, and what the requests to the fallback have to be. `mended`: what a fallback refuses once, and then gets
 * without (sessions.md 2.3): the history that a compaction leaves out is what Anthropic has bound its thinking to.
 * `fails`: with which fallbacks it does not work, and why.
 */
const features = {
  'Claude Code compacts': {
    plan: ['Claude Code', 'anthropic', ['openai-responses', 'gemini', 'deepseek']],
    // Its first request to compact leaves out all thinking, also that of the answering member.
    fails: { deepseek: 'DeepSeek wants its own reasoning back, which the agent has left out' },
    command: ran,
    steps: (of) => [[of], ['/compact'], [of]],
    runs: 2,
    check: (bodies) => {
      const texts = bodies.map((body) => JSON.stringify(body));
      const compacting = texts.findIndex((text) => text.includes('create a detailed summary'));
      assert.ok(compacting > 0 && has_result(bodies[compacting]), 'the conversation with the call is summarized');
      const next = bodies.find((body, i) => i > compacting && !texts[i].includes('create a detailed summary'));
      assert.ok(!has_result(next) && JSON.stringify(next).includes('continued from a previous'), 'it goes on with a summary');
    },
  },
  'Codex compacts': {
    plan: ['Codex', 'openai-responses', ['anthropic', 'deepseek']],
    command: long_once,
    steps: (of) => [[of], [of, { agent_settings: 'model_auto_compact_token_limit = 15000' }]],
    runs: 2,
    mended: { anthropic: ['The block is bound to a different conversation.'] },
    check: (bodies) => {
      const texts = bodies.map((body) => JSON.stringify(body));
      const compacting = texts.findIndex((text) => text.includes('CONTEXT CHECKPOINT COMPACTION'));
      assert.ok(compacting > 0 && has_result(bodies[compacting]), 'the conversation with the call is summarized');
      assert.ok(!has_result(bodies[compacting + 1]), 'it goes on with a summary');
      assert.ok(texts[compacting + 1].includes('This is an answer of the strict double'), 'which is that of the fallback');
    },
  },
  'Claude Code searches the web': {
    plan: ['Claude Code', 'anthropic', ['openai-responses', 'deepseek']],
    command: ran,
    args_of: { WebSearch: { query: 'understudy gateway' } },
    steps: () => [['CALL WebSearch and then say what came of it.', all_tools]],
    runs: 0,
    check: (bodies, losses) => {
      const search = bodies.find((body) => JSON.stringify(body).includes('Perform a web search for the query: understudy'));
      assert.ok(search, 'it asks for a search in a conversation of its own');
      assert.ok(tools_of(search).length > 0 || losses.includes('dropped tool web_search'), 'the tool is there, or named as a loss');
    },
  },
  'Claude Code starts an agent': {
    plan: ['Claude Code', 'anthropic', ['openai-responses', 'deepseek']],
    command: ran,
    args_of: {
      Agent: { description: 'Appends a line', prompt: 'CALL Bash and then say what came of it.', subagent_type: 'general-purpose' },
    },
    steps: () => [['CALL Agent and then say what came of it.']],
    runs: 1,
    check: (bodies) => {
      const own = bodies.filter((body) => JSON.stringify(body).includes('CALL Bash') && !JSON.stringify(body).includes('CALL Agent'));
      assert.equal(own.length, 2, 'its agent asks with and without the result of its call');
    },
  },
  'Codex compresses its requests': {
    plan: ['Codex, signed in', 'openai-responses', ['anthropic', 'deepseek']],
    command: ran,
    tapped: true,
    steps: (of) => [[of]],
    runs: 1,
    check: (bodies, losses, stage) => assert.deepEqual(stage.tap.codings, ['zstd', 'zstd']),
  },
};

const combinations = Object.entries(features).flatMap(([feature, one]) => one.plan[2].map((fallback) => [feature, one, fallback]));
for (const [feature, { plan, command, args_of, tapped, steps, runs, mended = {}, fails = {}, check }, fallback] of combinations) {
  const title = `${feature}, answered by ${fallback}`;
  const [name, primary] = plan;
  with_agent(name, title, { runs: 4, skip: fails[fallback] }, async (t, agent, program) => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-features-'));
    const protocol = back_ends[fallback][1];
    const stage = new Stage(folder, { primary, fallback, args: agent.args(command, protocol), args_of, tapped });
    const ends = [];
    try {
      await stage.begin();
      for (const [asked, settings] of steps(task(agent, fallback))) {
        Object.assign(stage, { agent_settings: '', agent_environment: {} }, settings, { goes_on: ends.length > 0 });
        ends.push(await perform(agent, program, stage, protocol, asked));
      }
    } finally {
      await stage.end();
    }
    const story = () => ends.map((end) => `${end.out}\n${end.err}`).join('\n') + stage.log;
    const bodies = stage.said('request').filter((one) => one.method === 'POST' && one.status === 200).map((one) => JSON.parse(one.body));
    const losses = stage.calls.flatMap((call) => call.report.attempts.flatMap((one) => one.losses ?? []));
    t.diagnostic(`calls of the agent ${stage.calls.length}, requests to the fallback ${bodies.length}`);

    const expected = mended[fallback] ?? [];
    const refused = stage.said('refusal').map(({ message }) => expected.find((part) => message.includes(part)) ?? message);
    assert.deepEqual(refused, expected, 'the fallback refuses nothing else');
    for (const end of ends) {
      assert.deepEqual([end.code, end.signal], [0, null], story());
    }
    assert.ok(ends.at(-1).out.includes(`This is an answer of the strict double of ${fallback}.`), story());
    const lines = await readFile(join(folder, 'scratch/ran.txt'), 'utf8').catch(() => '');
    assert.equal(lines, 'ran\n'.repeat(runs), 'each call ran once');
    assert.equal(bodies.length, stage.calls.length, 'one request for each call of the agent');
    for (const call of stage.calls) {
      const answer = call.report.attempts.at(-1);
      assert.deepEqual([answer.member.split('/')[0], answer.outcome], ['fallback', 'answered'], call.report.why);
    }
    check(bodies, losses, stage);
    assert.equal(stage.gateway_code, 0);
    assert.ok(!/primary-key|fallback-key|the-gateways-key/.test(stage.log), 'no secret in the log');
    await rm(folder, { recursive: true, force: true });
  });
}
