// A session that goes to another maker and comes back, with thinking: each maker accepts every request at the first
// attempt, gets its own reasoning back, and nothing of the other's. The gateway is restarted on the way, since all that
// is needed is in the agent's conversation.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { perform, with_agent } from './perform.mjs';
import { back_ends, Stage } from './stage.mjs';

const plan = [
  ['Claude Code', 'anthropic', ['codex', 'openai-responses', 'zai-anthropic', 'deepseek', 'gemini']],
  ['Codex', 'openai-responses', ['anthropic', 'codex', 'deepseek', 'kimi']],
];

/** The seals that a double has issued, by their form: sig_BACKEND~... */
const seals_in = (text, back_end) => [...new Set(text.match(new RegExp(`sig_${back_end}~[^"\\\\ ]*`, 'g')) ?? [])];

for (const [name, primary, fallback] of plan.flatMap(([agent, maker, all]) => all.map((one) => [agent, maker, one]))) {
  const title = `${name} goes to ${fallback} and comes back`;
  with_agent(name, title, { runs: 4 }, async (t, agent, program) => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-walk-'));
    const args = (back_end) => agent.args('echo ran >> ran.txt', back_ends[back_end][1]);
    const stage = new Stage(folder, { primary, fallback, args: args(fallback), primary_args: args(primary) });
    const ends = [];
    try {
      await stage.begin();
      for (const by of [primary, fallback, primary]) {
        stage.overloaded.up = by === primary ? stage.primary_url : '';
        stage.goes_on = ends.length > 0;
        ends.length && (await stage.restart());
        ends.push(await perform(agent, program, stage, back_ends[by][1]));
      }
    } finally {
      await stage.end();
    }
    const story = () => ends.map((end) => `${end.out}\n${end.err}`).join('\n') + stage.log;
    const bodies = (events) => events.filter((one) => one.event === 'request' && one.method === 'POST').map((one) => one.body);
    const [to_primary, to_fallback] = [bodies(stage.primary_events), bodies(stage.events)];
    const refusals = [...stage.primary_events, ...stage.events].filter((one) => one.event === 'refusal');
    const dropped = stage.primary_events.filter((one) => one.event === 'dropped');
    assert.deepEqual(refusals.map((one) => one.message), [], 'nothing is refused');
    assert.deepEqual(dropped, [], 'the primary reads all of its reasoning');
    for (const end of ends) {
      assert.deepEqual([end.code, end.signal], [0, null], story());
    }
    assert.equal(await readFile(join(folder, 'scratch/ran.txt'), 'utf8').catch(() => ''), 'ran\nran\nran\n', 'each call ran once');
    const own = to_primary.map((body) => seals_in(body, primary).length);
    t.diagnostic(`requests: ${to_primary.length} to ${primary}, ${to_fallback.length} to ${fallback}; ` +
      `its own seals in them: ${own.join(', ')}`);
    assert.ok(Math.max(...own) >= 2, 'its own reasoning of the first turn comes back in the third');
    for (const body of to_primary) {
      assert.ok(!body.includes('us1.') && !body.includes(`sig_${fallback}~`), 'nothing of the other maker');
    }
    for (const body of to_fallback) {
      assert.ok(!body.includes('us1.') && !body.includes(`sig_${primary}~`), 'nothing of the first maker');
    }
    await rm(folder, { recursive: true, force: true });
  });
}
