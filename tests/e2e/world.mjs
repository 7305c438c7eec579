// The gateway as a process before an Upstream, and the configuration that leads from the one to the other.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { Upstream } from './upstream.mjs';

const speaks = { chat: 'openai_chat', messages: 'anthropic_messages', responses: 'openai_responses' };
export const key = 'the-gateways-key';

/**
 * Models are named for what is behind them: "text@chat@17" for what the lead does, in which protocol, and a number
 * that keeps its provider apart from all others; "silent@chat@18 text@messages@18" for who takes over.
 */
function configuration(port, { models, keep_alive, keys, server }) {
  const name_of = (member) => member.replaceAll('@', '-');
  const provider = (member) => {
    const [behaviour, protocol] = member.split('@');
    return `
[providers.${name_of(member)}]
protocol = "${speaks[protocol]}"
base_url = "http://127.0.0.1:${port}/${name_of(member)}${protocol === 'messages' ? '' : '/v1'}"
credentials = [{value = "key-of-${name_of(member)}"}]
stream = ${!behaviour.startsWith('unstreamed-')}
`;
  };
  const route = (model) => `
[[routes]]
model = "${model}"
chain = [${model.split(' ').map((member) => `
  {provider = "${name_of(member)}", model = "${member.split('@')[0].replace('unstreamed-', '')}"},`).join('')}
]
`;
  const members = new Set(models.flatMap((model) => model.split(' ')));
  return `
[fallback]
patience = "100ms"
wait_out = "off"
[stall]
first_progress = "1s"
[retry]
backoff_base = "10ms"
backoff_cap = "20ms"
budget_floor = 1000
[server]
listen = "127.0.0.1:0"
${keys ? `keys = ["${key}"]` : ''}
${server}
keep_alive = "${keep_alive}"
report = true
threads = 2
${[...members].map(provider).join('')}${models.map(route).join('')}`;
}

export class World {
  upstream = new Upstream();
  /** Those that clients will ask for; to be named before it begins. */
  models = [];
  /** Whether clients need the key, and further lines of `[server]`. */
  keys = true;
  server = '';

  constructor(keep_alive) {
    this.keep_alive = keep_alive;
  }

  async begin(program) {
    const port = await this.upstream.listen();
    this.folder = await mkdtemp(join(tmpdir(), 'understudy-e2e-'));
    const config = join(this.folder, 'understudy.toml');
    await writeFile(config, configuration(port, this));
    this.gateway = spawn(program, ['serve', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    process.on('exit', () => this.gateway.kill('SIGKILL')); // whatever ends us
    this.ended = once(this.gateway, 'exit');
    this.log = '';
    const begun = new Promise((resolve, reject) => {
      createInterface(this.gateway.stderr).on('line', (line) => {
        this.log += `${line}\n`;
        const address = /understudy serve: (http:\S+),/.exec(line);
        address && resolve(address[1]);
      });
      this.ended.then(() => reject(new Error(`the gateway has ended:\n${this.log}`)), reject);
    });
    this.url = await begun;
  }

  /** Drains the gateway, which must end well. */
  async end() {
    this.gateway.kill('SIGTERM');
    const [code, signal] = await this.ended;
    this.upstream.close();
    await rm(this.folder, { recursive: true });
    assert.deepEqual([code, signal], [0, null], this.log);
    assert.ok(!/key-of-|the-gateways-key/.test(this.log), 'a secret in the log');
  }
}
