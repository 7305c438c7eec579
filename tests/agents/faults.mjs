// What a provider can do wrong once, in the words of its maker.
import { kind_of } from './bodies.mjs';

const key_of_the_primary = 'primary-key'; // in a message, as some servers repeat it

/** The bodies of errors: of Anthropic, else of OpenAI. */
const errors = {
  rate_limit: [
    { type: 'rate_limit_error', message: "This request would exceed your organization's rate limit of 50 requests per minute." },
    { message: 'Rate limit reached for requests. Please try again in 30s.', type: 'requests', param: null, code: 'rate_limit_exceeded' },
  ],
  key: [
    { type: 'authentication_error', message: `invalid x-api-key: ${key_of_the_primary}` },
    {
      message: `Incorrect API key provided: ${key_of_the_primary}.`,
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_api_key',
    },
  ],
  model: [
    { type: 'not_found_error', message: 'model: claude-opus-5-5' },
    {
      message: 'The model `gpt-5.6-sol` does not exist or you do not have access to it.',
      type: 'invalid_request_error',
      param: null,
      code: 'model_not_found',
    },
  ],
};

function error_body(protocol, name) {
  const [of_anthropic, of_openai] = errors[name];
  return protocol === 'anthropic_messages'
    ? { type: 'error', error: of_anthropic, request_id: 'req_011CUnderstudyAgents' }
    : { error: of_openai };
}

/** The error event in mid-stream: of Messages, of Chat, and the two of Responses. */
const error_events = {
  anthropic_messages: [['error', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }]],
  openai_chat: [['', { error: { message: 'The server had an error.', type: 'server_error', param: null, code: null } }]],
  openai_responses: [
    [
      'response.failed',
      {
        type: 'response.failed',
        sequence_number: 1000,
        response: {
          id: 'resp_understudy_agents',
          object: 'response',
          status: 'failed',
          error: { code: 'server_is_overloaded', message: 'Our servers are currently overloaded. Please try again later.' },
          output: [],
        },
      },
    ],
  ],
};

const written = ([name, data]) => `${name && `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until_read = () => pause(200); // a reset discards what has not been read

/** The double's events as they come, each with what it adds. */
async function* events_of(answer) {
  let rest = '';
  for await (const piece of answer.setEncoding('utf8')) {
    const events = (rest + piece).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      yield [`${event}\n\n`, kind_of(event)];
    }
  }
}

/** Passes on the first `count` events that add `kind`, and all before them; then `fault` has the response. */
const after = (count, kind, fault) => ({
  through: async (answer, response) => {
    response.writeHead(answer.statusCode, answer.headers);
    let seen = 0;
    for await (const [event, adds] of events_of(answer)) {
      if (adds === kind && seen++ === count) {
        answer.resume(); // the rest of it is of no use
        await fault(response, event);
        return;
      }
      response.write(event);
    }
    response.end();
  },
});

const status = (code, headers, body) => ({
  instead: (response) => {
    response.writeHead(code, headers);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  },
});
const json = { 'content-type': 'application/json' };

async function cut(response) {
  await until_read();
  response.socket?.resetAndDestroy();
}

/** Heartbeats as the maker sends them, and nothing else. */
const only_heartbeats = (protocol) => (response) => {
  const beat = protocol === 'anthropic_messages' ? 'event: ping\ndata: {"type": "ping"}\n\n' : ': keep-alive\n\n';
  const timer = setInterval(() => response.write(beat), 300);
  response.on('close', () => clearInterval(timer));
};

const html = '<html>\r\n<head><title>500 Internal Server Error</title></head>\r\n<body>\r\n<center><h1>500 Internal ' +
  'Server Error</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n';

/**
 * Each fault: the request that has it (the one that is answered by the `call`, or the one whose `answer` ends the
 * task), the reasons that fit it in the report, the gateway's settings, and what the provider does, by its protocol.
 */
export const faults = {
  'cut before the head': {
    of: 'call',
    reasons: ['connection', 'stale_connection'],
    does: () => ({ instead: (response) => response.socket.resetAndDestroy() }),
  },
  'silence before the head': {
    of: 'call',
    reasons: ['timeout'],
    settings: '[stall]\nfirst_progress = "2s"',
    does: () => ({ instead: () => {} }),
  },
  'heartbeats alone, in the text': {
    of: 'answer',
    reasons: ['timeout'],
    settings: '[stall]\nstale = "2s"',
    does: (protocol) => after(4, 'text', only_heartbeats(protocol)),
  },
  'cut in the arguments': { of: 'call', reasons: ['connection'], does: () => after(3, 'arguments', cut) },
  'cut in the text': { of: 'answer', reasons: ['connection'], does: () => after(4, 'text', cut) },
  'end in the text': {
    of: 'answer',
    reasons: ['malformed_response'],
    does: () => after(4, 'text', (response) => response.end()),
  },
  'end after the call': {
    of: 'call',
    reasons: ['malformed_response'],
    does: () => after(0, 'end', (response) => response.end()),
  },
  'damaged event in the arguments': {
    of: 'call',
    reasons: ['malformed_response'],
    // The connection stays as it is: whoever reads this has to notice by the event itself.
    does: () => after(3, 'arguments', (response, event) => response.write(`${event.trimEnd().slice(0, -9)}\n\n`)),
  },
  'error event in the text': {
    of: 'answer',
    reasons: ['overloaded', 'server_error'],
    does: (protocol) => after(4, 'text', (response) => response.end(error_events[protocol].map(written).join(''))),
  },
  '429, retry-after 30': {
    of: 'call',
    reasons: ['rate_limit'],
    does: (protocol) => status(429, { ...json, 'retry-after': '30' }, error_body(protocol, 'rate_limit')),
  },
  '401, key': {
    of: 'call',
    reasons: ['auth', 'auth_permanent'],
    does: (protocol) => status(401, json, error_body(protocol, 'key')),
  },
  '404, model': { of: 'call', reasons: ['model_not_found'], does: (protocol) => status(404, json, error_body(protocol, 'model')) },
  '500, HTML': { of: 'call', reasons: ['server_error'], does: () => status(500, { 'content-type': 'text/html' }, html) },
};
