// An agent at work: its process, and what it printed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';

import { agents, environment } from './agents.mjs';

export const longest = 180_000; // ms for an agent

/**
 * [agent, its maker, the fallback] where either of the two may answer, so the shell has one name in both protocols.
 * OpenAI refuses what opencode's Chat client sends it for these models (tools together with an effort); DeepSeek takes
 * it.
 */
export const plan = [
  ['Claude Code', 'anthropic', 'openai-responses'],
  ['Codex', 'openai-responses', 'anthropic'],
  ['Codex, WebSocket', 'openai-responses', 'anthropic'],
  ['opencode, Messages', 'anthropic', 'openai-chat'],
  ['opencode, Chat, DeepSeek', 'deepseek', 'anthropic'],
  ['opencode, Responses', 'openai-responses', 'anthropic'],
];

const chosen = (process.env.AGENT_TESTS ?? '').split('\n').filter(Boolean);

/**
 * A test with an agent: `body(t, agent, program)`, which performs at most `runs` times. Skipped where the agent does not
 * run, where the tests to run were named and TITLE is not one of them, or for the reason `skip`.
 */
export function with_agent(name, title, { runs, skip }, body) {
  const left_out = chosen.length > 0 && !chosen.some((part) => title.includes(part));
  test(title, { timeout: runs * longest, skip: skip ?? left_out }, async (t) => {
    const program = agents[name].program();
    if (!program) {
      t.skip('it does not run on this machine');
      return;
    }
    await body(t, agents[name], program);
  });
}

export const shell_task = (agent, protocol) => `CALL ${agent.shell(protocol)} and then say what came of it.`;

/** Runs an agent with one task; by default a shell call, named as the answering back end's PROTOCOL has it. */
export async function perform(agent, program, stage, protocol, task = shell_task(agent, protocol)) {
  const scratch = join(stage.folder, 'scratch');
  await Promise.all(['scratch', 'home', 'tmp'].map((one) => mkdir(join(stage.folder, one), { recursive: true })));
  const { args, env } = await agent.start(stage, task);
  const child = spawn(program, args, {
    cwd: scratch,
    env: { ...environment(stage.folder, stage.proxy.url), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longest,
    killSignal: 'SIGKILL',
  });
  const output = { out: '', err: '' };
  child.stdout.on('data', (piece) => (output.out += piece));
  child.stderr.on('data', (piece) => (output.err += piece));
  const [code, signal] = await once(child, 'close');
  return { code, signal, ...output };
}
