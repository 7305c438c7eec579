// Both back ends are away for 12 s while an agent works, and well before and after that: the gateway waits, and the
// agent notices nothing. The outage begins with the agent's first request that has tools.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { tools_of } from './bodies.mjs';
import { perform, plan, with_agent } from './perform.mjs';
import { back_ends, Stage } from './stage.mjs';
import { Table } from './table.mjs';

const length = 12_000; // ms

/** How both are away; what the request with which it begins gets. */
const outages = {
  overloaded: (stage) => {
    for (const front of [stage.overloaded, stage.fallback_front]) {
      const { up } = front;
      front.up = '';
      setTimeout(() => (front.up = up), length);
    }
    return undefined;
  },
  'no connection': (stage) => {
    stage.back = Promise.all([stage.overloaded.refuse(length), stage.fallback_front.refuse(length)]);
    return { instead: () => {} };
  },
};
const table = new Table(`outage of ${length / 1000} s: attempts`, plan.map(([agent]) => agent));
after(() => table.print());

const combinations = Object.keys(outages).flatMap((outage) => plan.map((one) => [outage, ...one]));
for (const [outage, name, primary, fallback] of combinations) {
  const title = `${name} during an outage: ${outage}`;
  with_agent(name, title, { runs: 2 }, async (t, agent, program) => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-outage-'));
    const args = (back_end) => agent.args('echo ran >> ran.txt', back_ends[back_end][1]);
    const stage = new Stage(folder, { primary, fallback, args: args(fallback), primary_args: args(primary), fronted: true });
    let began = 0;
    stage.overloaded.fault = (body) => {
      if (began > 0 || tools_of(body).length === 0) {
        return undefined;
      }
      began = Date.now();
      return outages[outage](stage);
    };
    let end;
    try {
      await stage.begin();
      stage.overloaded.up = stage.primary_url;
      end = await perform(agent, program, stage, back_ends[primary][1]);
      await stage.back;
    } finally {
      await stage.end();
    }
    const story = () => `${end.out}\n${end.err}\n${stage.log}`;
    const attempts = Math.max(...stage.calls.map((call) => call.report.attempts.length));
    t.diagnostic(`calls of the agent ${stage.calls.length}, at most ${attempts} attempts for one`);
    for (const call of stage.calls) {
      t.diagnostic(`${Math.round(call.report.took_ms) / 1000} s: ${call.report.why}`);
    }

    assert.deepEqual([end.code, end.signal], [0, null], story());
    assert.ok(began > 0 && Date.now() - began > length, 'the outage occurred');
    assert.equal(await readFile(join(folder, 'scratch/ran.txt'), 'utf8').catch(() => ''), 'ran\n', 'the call ran once');
    assert.equal(end.out.split('This is an answer of the strict double of ').length, 2, story());
    // The agent asked as often as without an outage: it was never told to try again.
    assert.equal(stage.calls.length, agent.calls, story());
    for (const call of stage.calls) {
      assert.deepEqual([call.status, call.report.outcome], [call.status === 101 ? 101 : 200, 'answered'], call.report.why);
    }
    assert.ok(Math.max(...stage.calls.map((call) => call.report.took_ms)) >= length - 1000, 'a call waited');
    assert.equal(stage.gateway_code, 0);
    assert.ok(!/primary-key|fallback-key|the-gateways-key/.test(stage.log), 'no secret in the log');
    table.set(outage, name, String(attempts));
    await rm(folder, { recursive: true, force: true });
  });
}
