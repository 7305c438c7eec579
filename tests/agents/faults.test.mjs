// Each agent with each fault of a provider: the primary is a strict double of the agent's own maker, does one thing
// wrong once, and is well before and after that. The agent finishes as if nothing had happened, and its shell call runs
// once.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { has_result, tools_of } from './bodies.mjs';
import { faults } from './faults.mjs';
import { perform, plan, with_agent } from './perform.mjs';
import { back_ends, Stage } from './stage.mjs';
import { Table } from './table.mjs';

const table = new Table('requests with tools: to the primary + to the fallback', plan.map(([agent]) => agent));
after(() => table.print());

const combinations = Object.keys(faults).flatMap((fault) => plan.map((one) => [fault, ...one]));
for (const [fault, name, primary, fallback] of combinations) {
  const title = `${name}: ${fault}`;
  with_agent(name, title, { runs: 2 }, async (t, agent, program) => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-faults-'));
    const protocol = back_ends[primary][1];
    const args = (back_end) => agent.args('echo ran >> ran.txt', back_ends[back_end][1]);
    const { of, reasons, settings, does } = faults[fault];
    const stage = new Stage(folder, { primary, fallback, args: args(fallback), primary_args: args(primary), settings });
    let injected = 0;
    stage.overloaded.fault = (body) => {
      const concerned = tools_of(body).length > 0 && has_result(body) === (of === 'answer');
      return concerned && injected++ === 0 ? does(protocol) : undefined;
    };
    let end;
    try {
      await stage.begin();
      stage.overloaded.up = stage.primary_url;
      end = await perform(agent, program, stage, protocol);
    } finally {
      await stage.end();
    }
    const story = () => `${end.out}\n${end.err}\n${stage.log}`;
    const with_tools = (bodies) => bodies.filter((body) => tools_of(body).length > 0).length;
    const to_fallback = stage.said('request').filter((one) => one.method === 'POST').map((one) => JSON.parse(one.body));
    const asked = `${with_tools(stage.overloaded.requests)}+${with_tools(to_fallback)}`;
    const refusals = [...stage.primary_events, ...stage.events].filter((one) => one.event === 'refusal');
    t.diagnostic(`calls of the agent ${stage.calls.length}, requests with tools ${asked}`);
    for (const call of stage.calls) {
      t.diagnostic(call.report.why);
    }

    assert.ok(injected > 0, `the fault occurred: ${story()}`);
    assert.deepEqual(refusals.map((one) => one.message), [], 'nothing is refused');
    assert.deepEqual([end.code, end.signal], [0, null], story());
    assert.equal(await readFile(join(folder, 'scratch/ran.txt'), 'utf8').catch(() => ''), 'ran\n', 'the call ran once');
    // The agent asked as often as without a fault, and was answered each time.
    assert.equal(stage.calls.length, agent.calls, story());
    for (const call of stage.calls) {
      assert.equal(call.report.outcome, 'answered', call.report.why);
    }
    // One of the calls failed with the fault and was rescued, and the log says so.
    const failed = stage.calls.flatMap((call) => call.report.attempts.filter((one) => one.outcome !== 'answered'));
    assert.equal(failed.length, 1, story());
    assert.equal(failed[0].member.split('/')[0], 'primary', story());
    assert.ok(reasons.includes(failed[0].outcome), `${failed[0].outcome}: ${story()}`);
    // What was delivered and what came from another member are one answer.
    const { attempts } = stage.calls.at(-1).report;
    const last = attempts.at(-1).member.split('/')[0] === 'primary' ? primary : fallback;
    const sentences = end.out.match(/This is an answer of the strict double of [\w-]+\./g) ?? [];
    assert.deepEqual(sentences, [`This is an answer of the strict double of ${last}.`], story());
    assert.equal(end.out.split('This is an answer').length, 2, story());
    assert.equal(stage.gateway_code, 0);
    assert.ok(!/primary-key|fallback-key|the-gateways-key/.test(stage.log), 'no secret in the log');
    table.set(fault, name, asked);
    await rm(folder, { recursive: true, force: true });
  });
}
