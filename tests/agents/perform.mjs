// An agent at work: its process, and what it printed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { environment } from './agents.mjs';

export const longest = 180_000; // ms for an agent

/** Runs an agent with one task: a shell call, named as the answering back end's PROTOCOL has it. */
export async function perform(agent, program, stage, protocol) {
  const scratch = join(stage.folder, 'scratch');
  await Promise.all(['scratch', 'home', 'tmp'].map((one) => mkdir(join(stage.folder, one), { recursive: true })));
  const { args, env } = await agent.start(stage, `CALL ${agent.shell(protocol)} and then say what came of it.`);
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
