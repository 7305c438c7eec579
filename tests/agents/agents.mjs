// How each agent is installed, pointed at a gateway, and given one task without a terminal.
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { key, token } from './stage.mjs';

const machine = `${process.platform}-${process.arch}`;
const installed = (path) => join(process.cwd(), 'node_modules', path);

/** The first of the programs that runs here, or nothing. */
function runs(...programs) {
  return programs.find((one) => {
    const { status } = spawnSync(one, ['--version'], { env: { HOME: '/nonexistent', PATH: process.env.PATH }, timeout: 60000 });
    return status === 0;
  });
}

/** Nothing of this machine's user, no way out but a proxy that refuses. */
export function environment(folder, proxy) {
  const home = join(folder, 'home');
  return {
    PATH: process.env.PATH,
    HOME: home,
    LANG: 'C.UTF-8',
    TMPDIR: join(folder, 'tmp'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local/share'),
    XDG_STATE_HOME: join(home, '.local/state'),
    XDG_CACHE_HOME: join(home, '.cache'),
    HTTPS_PROXY: proxy,
    HTTP_PROXY: proxy,
    https_proxy: proxy,
    http_proxy: proxy,
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    DO_NOT_TRACK: '1',
  };
}

/** opencode by the AI SDK's package for a protocol. */
function opencode(npm, model) {
  return {
    calls: 3, // one for the title
    shell: () => 'bash',
    args: (command) => ({ command, description: 'Appends a line' }),
    program: () => runs(installed(`opencode-${machine}/bin/opencode`), installed(`opencode-${machine}-baseline/bin/opencode`)),
    start: async (stage, task) => ({
      args: ['run', '--pure', '--model', `gateway/${model}`, task],
      env: {
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
        OPENCODE_CONFIG_CONTENT: JSON.stringify({
          autoupdate: false,
          share: 'disabled',
          permission: { bash: 'allow', edit: 'allow', external_directory: 'allow' },
          model: `gateway/${model}`,
          provider: {
            gateway: {
              npm,
              name: 'Gateway',
              options: { baseURL: `${stage.url}/v1`, apiKey: key },
              models: { [model]: { name: model, limit: { context: 200000, output: 32000 } } },
            },
          },
        }),
      },
    }),
  };
}

/** A sign-in as Codex keeps it, with tokens that nobody has issued. With one, Codex compresses its requests. */
const sign_in = () => ({
  auth_mode: 'chatgpt',
  OPENAI_API_KEY: null,
  tokens: { id_token: token(), access_token: token(), refresh_token: 'x', account_id: 'account-1' },
  last_refresh: new Date().toISOString(),
});

/**
 * Codex by a provider of the user's configuration, or by its own one with another base URL. By the model it calls the
 * shell itself, or writes JavaScript that does (a free-form tool in a namespace, among the items of the input).
 */
function codex(model, { built_in = false, code = false, signed_in = false } = {}) {
  return {
    calls: 2,
    shell: (protocol) => (!code ? 'exec_command' : protocol === 'openai_responses' ? 'exec' : 'functions__exec'),
    args: (command, protocol) => {
      const script = `text(await tools.exec_command({cmd: ${JSON.stringify(command)}}))`;
      return !code ? { cmd: command } : protocol === 'openai_responses' ? script : { input: script };
    },
    program: () => runs(installed('@openai/codex/bin/codex.js')),
    start: async (stage, task) => {
      const home = join(stage.folder, 'home/.codex');
      await mkdir(home, { recursive: true });
      const config = `model = "${model}"
${built_in ? `openai_base_url = "${stage.url}/v1"` : 'model_provider = "gateway"'}
${stage.agent_settings ?? ''}
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
[analytics]
enabled = false
${built_in ? '' : `[model_providers.gateway]
name = "Gateway"
base_url = "${stage.url}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
`}`;
      await writeFile(join(home, 'config.toml'), config);
      if (built_in) {
        await writeFile(join(home, 'auth.json'), JSON.stringify(signed_in ? sign_in() : { OPENAI_API_KEY: key }));
      }
      return {
        args: ['exec', '--skip-git-repo-check', '--color', 'never', ...(stage.goes_on ? ['resume', '--last'] : []), task],
        env: { CODEX_HOME: home, GATEWAY_KEY: key },
      };
    },
  };
}

/** `calls`: how often it asks for its task, a shell call and a last answer. */
export const agents = {
  'Claude Code': {
    calls: 2,
    shell: () => 'Bash',
    args: (command) => ({ command, description: 'Appends a line' }),
    program: () => runs(installed(`@anthropic-ai/claude-code-${machine}/claude`), installed(`@anthropic-ai/claude-code-${machine}-musl/claude`)),
    start: async (stage, task) => ({
      args: ['-p', task, '--model', 'claude-opus-5-5', '--allowedTools', 'Bash,WebSearch', ...(stage.goes_on ? ['--continue'] : [])],
      env: {
        ANTHROPIC_BASE_URL: stage.url,
        ANTHROPIC_AUTH_TOKEN: key,
        CLAUDE_CONFIG_DIR: join(stage.folder, 'home/.claude'),
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_TELEMETRY: '1',
        DISABLE_ERROR_REPORTING: '1',
        ...stage.agent_environment,
      },
    }),
  },
  Codex: codex('gpt-5.5'),
  'Codex, code mode': codex('gpt-5.6-sol', { code: true }),
  'Codex, built-in provider': codex('gpt-5.6-sol', { code: true, built_in: true }),
  'Codex, WebSocket': codex('gpt-5.5', { built_in: true }),
  'Codex, signed in': codex('gpt-5.5', { built_in: true, signed_in: true }),
  'opencode, Messages': opencode('@ai-sdk/anthropic', 'claude-opus-5-5'),
  'opencode, Chat': opencode('@ai-sdk/openai-compatible', 'gpt-5.6-sol'),
  'opencode, Chat, DeepSeek': opencode('@ai-sdk/openai-compatible', 'deepseek-v4-pro'),
  'opencode, Responses': opencode('@ai-sdk/openai', 'gpt-5.6-sol'),
};
