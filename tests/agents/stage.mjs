// What stands around an agent: a primary that is overloaded or has another fault, a strict back end as its fallback,
// the gateway between them and the agent, and a proxy that refuses and says what was asked of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

process.setMaxListeners(0); // each process that is started has one

export const key = 'the-gateways-key';

/** The makers: their protocol, and how they say that they are overloaded. */
export const makers = {
  anthropic: {
    protocol: 'anthropic_messages',
    model: 'claude-opus-5-5',
    status: 529,
    body: {
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded', details: null },
      request_id: 'req_011CUnderstudyAgents',
    },
  },
  'openai-responses': {
    protocol: 'openai_responses',
    model: 'gpt-5.6-sol',
    status: 503,
    body: {
      error: {
        message: 'Our servers are currently overloaded. Please try again later.',
        type: 'service_unavailable_error',
        param: null,
        code: 'server_is_overloaded',
      },
    },
  },
  'openai-chat': {
    protocol: 'openai_chat',
    model: 'gpt-5.6-sol',
    status: 503,
    body: {
      error: {
        message: 'The engine is currently overloaded, please try again later',
        type: 'service_unavailable_error',
        param: null,
        code: null,
      },
    },
  },
  deepseek: {
    protocol: 'openai_chat',
    model: 'deepseek-v4-pro',
    status: 503,
    body: {
      error: {
        message: 'Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.',
        type: 'service_unavailable_error',
        param: null,
        code: 'service_unavailable_error',
      },
    },
  },
};

/** The back ends that can take over: preset and protocol. Their model is the one that the double lists. */
export const back_ends = {
  anthropic: ['anthropic', 'anthropic_messages'],
  'anthropic-4-5': ['anthropic', 'anthropic_messages'],
  'openai-responses': ['openai-codex', 'openai_responses'],
  'openai-chat': ['openai', 'openai_chat'],
  codex: ['codex', 'openai_responses'],
  'azure-responses': ['azure', 'openai_responses'],
  'azure-chat': ['azure', 'openai_chat'],
  'bedrock-mantle-anthropic': ['bedrock-mantle', 'anthropic_messages'],
  'bedrock-mantle-openai': ['bedrock-mantle', 'openai_responses'],
  openrouter: ['openrouter', 'openai_chat'],
  gemini: ['gemini', 'openai_chat'],
  deepseek: ['deepseek', 'openai_chat'],
  'deepseek-anthropic': ['deepseek', 'anthropic_messages'],
  zai: ['zai', 'openai_chat'],
  'zai-anthropic': ['zai', 'anthropic_messages'],
  kimi: ['kimi', 'openai_chat'],
  'kimi-anthropic': ['kimi', 'anthropic_messages'],
  minimax: ['minimax', 'openai_chat'],
  'minimax-anthropic': ['minimax', 'anthropic_messages'],
  groq: ['groq', 'openai_chat'],
  mistral: ['mistral', 'openai_chat'],
  xai: ['xai', 'openai_chat'],
  ollama: ['ollama', 'openai_chat'],
  vllm: ['vllm', 'openai_chat'],
  lmstudio: ['lmstudio', 'openai_chat'],
  'llama.cpp': ['llama-cpp', 'openai_chat'],
};

async function listen(server, port = 0) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/**
 * Overloaded, unless it is `up`: then it passes on to the double at that address. `requests` are the bodies that it was
 * sent. `fault` is asked about each of them: nothing, or what is done `instead`, or how the double's answer is passed
 * `through`.
 */
class Front {
  requests = [];
  up = '';
  fault = () => undefined;
  #server;

  async begin(maker) {
    this.#server = http.createServer(async (request, response) => {
      let text = '';
      for await (const piece of request.setEncoding('utf8')) {
        text += piece;
      }
      let fault;
      if (request.method === 'POST') {
        this.requests.push(JSON.parse(text));
        fault = this.fault(this.requests.at(-1));
      }
      if (fault?.instead) {
        fault.instead(response);
      } else if (this.up) {
        this.#pass_on(request, text, response, fault?.through);
      } else {
        response.writeHead(maker.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(maker.body));
      }
    });
    this.#server.keepAliveTimeout = 0; // it closes no connection that a request may be on its way through
    this.url = `http://127.0.0.1:${await listen(this.#server)}`;
  }

  #pass_on(request, text, response, through) {
    const on = http.request(this.up + request.url, { method: request.method, headers: request.headers }, (answer) => {
      if (through) {
        through(answer, response);
        return;
      }
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    on.on('error', () => response.destroy());
    on.end(text);
  }

  /** Cuts all connections and refuses others for a while. */
  async refuse(ms) {
    const { port } = new URL(this.url);
    this.end();
    await new Promise((resolve) => setTimeout(resolve, ms));
    await listen(this.#server, Number(port));
  }

  end() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** An agent that wants to leave this machine is told no. `asked` is where to. */
class Proxy {
  asked = [];
  #server = http.createServer((request, response) => {
    this.asked.push(request.url);
    response.writeHead(403).end();
  });

  async begin() {
    this.#server.on('connect', (request, socket) => {
      this.asked.push(request.url);
      socket.on('error', () => {});
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    this.url = `http://127.0.0.1:${await listen(this.#server)}`;
  }

  end() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Between an agent and the gateway: passes all on, and notes how the bodies are coded. It takes no WebSocket. */
class Tap {
  codings = [];

  async begin(gateway) {
    this.server = http.createServer((request, response) => {
      request.method === 'POST' && this.codings.push(request.headers['content-encoding'] ?? 'none');
      const on = http.request(gateway + request.url, { method: request.method, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      on.on('error', () => response.destroy());
      request.pipe(on);
    });
    this.server.on('upgrade', (request, socket) => socket.end('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n'));
    return `http://127.0.0.1:${await listen(this.server)}`;
  }

  end() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** A child process whose output is read by line. */
class Process {
  constructor(command, args, stream, read) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    process.on('exit', () => this.child.kill('SIGKILL')); // whatever ends us
    this.ended = once(this.child, 'exit');
    this.ready = new Promise((resolve, reject) => {
      for (const one of ['stdout', 'stderr']) {
        createInterface(this.child[one]).on('line', (line) => {
          const address = one === stream && /(http:\/\/127\.0\.0\.1:\d+)/.exec(line);
          address && resolve(address[1]);
          read(one, line);
        });
      }
      this.ended.then(([code]) => reject(new Error(`${command} ended with ${code}`)), reject);
    });
    this.ready.catch(() => {});
  }

  async end() {
    this.child.kill('SIGTERM');
    return (await this.ended)[0];
  }
}

function configuration(stage) {
  const section = (name, preset, protocol, url, credential) => `
[providers.${name}]
preset = "${preset}"
protocol = "${protocol}"
base_url = "${url}"
credentials = [${credential}]
`;
  const sign_in = `{oauth = {token_file = "${stage.folder}/auth.json", token_url = "${stage.proxy.url}/oauth/token", client_id = "x"}}`;
  const maker = makers[stage.primary];
  return `
[model]
provider = "primary"
default = "${maker.model}"
[[fallback_providers]]
provider = "fallback"
model = "${stage.model}"
[server]
listen = "127.0.0.1:0"
${stage.tapped ? '' : `keys = ["${key}"]`}
report = true
threads = 1
[log]
format = "json"
${stage.settings}
${section('primary', back_ends[stage.primary][0], maker.protocol, stage.overloaded.url, '{value = "primary-key"}')}
${section('fallback', ...back_ends[stage.fallback], stage.fallback_url, stage.fallback === 'codex' ? sign_in : '{value = "fallback-key"}')}`;
}

/** An unsigned token as Codex's sign-in has it, which does not expire soon. */
export function token() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { exp: Math.floor(Date.now() / 1000) + 86400, 'https://api.openai.com/auth': { chatgpt_account_id: 'account-1' } };
  return `${part({ alg: 'none' })}.${part(claims)}.x`;
}

export class Stage {
  overloaded = new Front();
  /** Before the fallback's double, if there is one. */
  fallback_front = new Front();
  proxy = new Proxy();
  tap = new Tap();
  /** What the double says: {event: "request" | "refusal" | "warning" | "dropped", ...}. */
  events = [];
  /** The gateway's calls, as it logs them. */
  calls = [];
  log = '';

  /** What the primary's double says, if it has one. */
  primary_events = [];

  /**
   * `args`: of the call that the double answers "CALL NAME" with; a text if the tool is a free-form one. `args_of`:
   * those of other tools, by name. `primary_args`: `args` of the primary's double, which there is for whoever sets
   * `overloaded.up` to `primary_url`. `settings`: more of the gateway's configuration. `fronted`: whether the fallback
   * is asked through `fallback_front`. `tapped`: whether the agent asks through `tap`, without a key of the gateway.
   */
  constructor(folder, { primary, fallback, args, args_of = {}, primary_args, settings = '', fronted = false, tapped = false }) {
    Object.assign(this, { folder, primary, fallback, args, args_of, primary_args, settings, fronted, tapped });
  }

  async #double(back_end, args, events) {
    const process_of_it = new Process(
      process.env.STRICT_BACKEND,
      [
        ...['--backend', back_end, '--bodies', '--arguments', typeof args === 'string' ? args : JSON.stringify(args)],
        ...Object.entries(this.args_of).flatMap(([name, its]) => ['--arguments', `${name}=${JSON.stringify(its)}`]),
      ],
      'stdout',
      (stream, line) => stream === 'stderr' && events.push(JSON.parse(line)),
    );
    return [process_of_it, await process_of_it.ready];
  }

  async #serve() {
    const config = join(this.folder, 'understudy.toml');
    await writeFile(config, configuration(this));
    this.gateway = new Process(process.env.PROGRAM, ['serve', '--config', config], 'stderr', (stream, line) => {
      this.log += `${line}\n`;
      const entry = line.startsWith('{') ? JSON.parse(line) : {};
      entry.report && this.calls.push(entry);
    });
    this.url = await this.gateway.ready.catch((error) => {
      throw new Error(`${error.message}:\n${this.log}`);
    });
    this.url = this.tapped ? await this.tap.begin(this.url) : this.url;
  }

  /** Another gateway, which knows nothing of the first. */
  async restart() {
    await this.gateway.end();
    await this.#serve();
  }

  async begin() {
    await this.overloaded.begin(makers[this.primary]);
    await this.proxy.begin();
    [this.double, this.double_url] = await this.#double(this.fallback, this.args, this.events);
    if (this.primary_args) {
      [this.primary_double, this.primary_url] = await this.#double(this.primary, this.primary_args, this.primary_events);
    }
    this.fallback_url = this.double_url;
    if (this.fronted) {
      this.fallback_front.up = this.double_url;
      await this.fallback_front.begin(makers[this.fallback]);
      this.fallback_url = this.fallback_front.url;
    }
    this.model = (await (await fetch(`${this.double_url}/models`)).json()).data[0].id;
    const tokens = { access_token: token(), refresh_token: 'x', id_token: token(), account_id: 'account-1' };
    await writeFile(join(this.folder, 'auth.json'), JSON.stringify({ tokens, last_refresh: new Date().toISOString() }));
    await this.#serve();
  }

  /** The gateway is drained, so its log is whole afterwards. */
  async end() {
    this.gateway_code = await this.gateway?.end();
    await this.double?.end();
    await this.primary_double?.end();
    this.overloaded.end();
    this.fronted && this.fallback_front.end();
    this.tap.server && this.tap.end();
    this.proxy.end();
  }

  /** The double's lines of one kind. */
  said(event) {
    return this.events.filter((one) => one.event === event);
  }
}
