// The three protocols as a provider speaks them: what it makes of a request, and how it writes an answer.
// An answer is {parts, stop}; a part {thinking}, {text} (its tokens) or {call: {id, name, input}}.

const ids = new WeakMap();
let answers = 0;

/** The id of the answer to a request: another one for each. */
function id_of(body, prefix) {
  ids.has(body) || ids.set(body, ++answers);
  return `${prefix}${ids.get(body)}`;
}

export const usage = { input: 19, output: 11 };

const lines = (event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`;
const named = (event) => `event: ${event.type}\n${lines(event)}`;
const halves = (text) => [text.slice(0, 5), text.slice(5)];
const data_url = (url) => /^data:(.*);base64,(.*)$/.exec(url)?.slice(1);
const whole_text = (parts) => parts.flatMap((part) => part.text ?? []).join('');
const array = (content) => (Array.isArray(content) ? content : []);

export const chat = {
  path: '/v1/chat/completions',
  finish: { end: 'stop', length: 'length', call: 'tool_calls' },

  system: (body) => body.messages.find((m) => m.role === 'system' || m.role === 'developer')?.content,
  schema: (body) => body.response_format?.json_schema.schema,
  tools: (body) => (body.tools ?? []).map((tool) => [tool.function.name, tool.function.parameters]),
  results: (body) => body.messages.filter((m) => m.role === 'tool').map((m) => [m.tool_call_id, m.content]),
  images: (body) =>
    body.messages
      .flatMap((m) => array(m.content))
      .filter((part) => part.type === 'image_url')
      .map((part) => data_url(part.image_url.url)),

  frames(body, { parts, stop }) {
    const chunk = (delta, finish_reason = null) => ({
      id: id_of(body, 'chatcmpl-'), object: 'chat.completion.chunk', created: 1790000000, model: body.model,
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    });
    const fragment = (index, rest) => chunk({ tool_calls: [{ index, ...rest }] });
    const events = [chunk({ role: 'assistant', content: '' })];
    let calls = 0;
    for (const part of parts) {
      events.push(...(part.thinking ?? []).map((token) => chunk({ reasoning_content: token })));
      events.push(...(part.text ?? []).map((token) => chunk({ content: token })));
      if (part.call) {
        const { id, name, input } = part.call;
        events.push(fragment(calls, { id, type: 'function', function: { name, arguments: '' } }));
        for (const half of halves(JSON.stringify(input))) {
          events.push(fragment(calls, { function: { arguments: half } }));
        }
        calls += 1;
      }
    }
    events.push(chunk({}, chat.finish[stop]));
    if (body.stream_options?.include_usage) {
      events.push({ ...chunk({}), choices: [], usage: chat.usage });
    }
    return [...events, '[DONE]'].map(lines);
  },
  whole: (body, { parts, stop }) => ({
    id: id_of(body, 'chatcmpl-'), object: 'chat.completion', created: 1790000000, model: body.model,
    choices: [{
      index: 0, logprobs: null, finish_reason: chat.finish[stop],
      message: { role: 'assistant', content: whole_text(parts), refusal: null },
    }],
    usage: chat.usage,
  }),
  usage: {
    prompt_tokens: usage.input, completion_tokens: usage.output, total_tokens: usage.input + usage.output,
  },
  error: (status, message) => ({
    error: {
      message, param: null, code: status === 401 ? 'invalid_api_key' : null,
      type: status === 429 ? 'requests' : status === 503 ? 'service_unavailable_error' : 'invalid_request_error',
    },
  }),
  heartbeat: ': keep-alive\n\n',
  broken: lines({ error: { message: 'The server had an error', type: 'server_error', param: null, code: null } }),
};

export const messages = {
  path: '/v1/messages',
  finish: { end: 'end_turn', length: 'max_tokens', call: 'tool_use' },

  system: (body) => (typeof body.system === 'string' ? body.system : body.system?.[0].text),
  schema: (body) => body.output_config?.format.schema,
  tools: (body) => (body.tools ?? []).map((tool) => [tool.name, tool.input_schema]),
  results: (body) =>
    messages.blocks(body, 'tool_result').map(({ tool_use_id, content }) => [
      tool_use_id, typeof content === 'string' ? content : content.map((block) => block.text).join(''),
    ]),
  images: (body) => messages.blocks(body, 'image').map(({ source }) => [source.media_type, source.data]),
  blocks: (body, type) => body.messages.flatMap((m) => array(m.content)).filter((block) => block.type === type),

  frames(body, { parts, stop }) {
    const events = [
      {
        type: 'message_start',
        message: {
          id: id_of(body, 'msg_'), type: 'message', role: 'assistant', model: body.model, content: [], stop_reason: null,
          stop_sequence: null, usage: { input_tokens: usage.input, output_tokens: 1 },
        },
      },
      { type: 'ping' },
    ];
    parts.forEach((part, index) => {
      const block = (content_block, deltas) => {
        events.push({ type: 'content_block_start', index, content_block });
        events.push(...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })));
        events.push({ type: 'content_block_stop', index });
      };
      if (part.thinking) {
        block({ type: 'thinking', thinking: '', signature: '' }, [
          ...part.thinking.map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: 'c2lnbmVk' },
        ]);
      } else if (part.text) {
        block({ type: 'text', text: '' }, part.text.map((text) => ({ type: 'text_delta', text })));
      } else {
        const { id, name, input } = part.call;
        block({ type: 'tool_use', id, name, input: {} }, ['', ...halves(JSON.stringify(input))].map(
          (partial_json) => ({ type: 'input_json_delta', partial_json })));
      }
    });
    events.push({
      type: 'message_delta', delta: { stop_reason: messages.finish[stop], stop_sequence: null },
      usage: { output_tokens: usage.output },
    });
    return [...events, { type: 'message_stop' }].map(named);
  },
  whole: (body, { parts, stop }) => ({
    id: id_of(body, 'msg_'), type: 'message', role: 'assistant', model: body.model, stop_reason: messages.finish[stop],
    stop_sequence: null, content: [{ type: 'text', text: whole_text(parts) }],
    usage: { input_tokens: usage.input, output_tokens: usage.output },
  }),
  error: (status, message) => ({
    type: 'error', request_id: 'req_1',
    error: {
      message,
      type: { 401: 'authentication_error', 429: 'rate_limit_error', 529: 'overloaded_error' }[status]
        ?? 'invalid_request_error',
    },
  }),
  heartbeat: named({ type: 'ping' }),
  broken: named({ type: 'error', error: { type: 'api_error', message: 'The server had an error' } }),
};

export const responses = {
  path: '/v1/responses',

  system: (body) => body.instructions,
  schema: (body) => body.text?.format.schema,
  tools: (body) => (body.tools ?? []).map((tool) => [tool.name, tool.parameters]),
  results: (body) =>
    array(body.input).filter((item) => item.type === 'function_call_output').map((item) => [item.call_id, item.output]),
  images: (body) =>
    array(body.input)
      .flatMap((item) => array(item.content))
      .filter((part) => part.type === 'input_image')
      .map((part) => data_url(part.image_url)),

  response: (body, rest) => ({
    id: id_of(body, 'resp_'), object: 'response', created_at: 1790000000, status: 'in_progress', error: null,
    incomplete_details: null, model: body.model, output: [], parallel_tool_calls: true, tool_choice: 'auto',
    tools: body.tools ?? [], usage: null, ...rest,
  }),
  finished: (body, output, stop) => responses.response(body, {
    status: stop === 'length' ? 'incomplete' : 'completed', output,
    incomplete_details: stop === 'length' ? { reason: 'max_output_tokens' } : null,
    usage: {
      input_tokens: usage.input, input_tokens_details: { cached_tokens: 0 }, output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: 0 }, total_tokens: usage.input + usage.output,
    },
  }),
  message: (text) => ({
    id: 'msg_1', type: 'message', role: 'assistant', status: 'completed',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  }),

  frames(body, { parts, stop }) {
    const events = ['created', 'in_progress'].map((name) => ({
      type: `response.${name}`, response: responses.response(body),
    }));
    const output = [];
    for (const part of parts) {
      const at = { output_index: output.length };
      const add = (item) => events.push({ type: 'response.output_item.added', ...at, item });
      if (part.thinking) {
        const whole = { type: 'summary_text', text: part.thinking.join('') };
        const item = { id: 'rs_1', type: 'reasoning', summary: [whole] };
        const summary = { ...at, item_id: item.id, summary_index: 0 };
        add({ ...item, summary: [] });
        events.push({
          type: 'response.reasoning_summary_part.added', ...summary, part: { type: 'summary_text', text: '' },
        });
        events.push(...part.thinking.map((delta) => (
          { type: 'response.reasoning_summary_text.delta', ...summary, delta })));
        events.push({ type: 'response.reasoning_summary_text.done', ...summary, text: whole.text });
        events.push({ type: 'response.reasoning_summary_part.done', ...summary, part: whole });
        output.push(item);
      } else if (part.text) {
        const item = responses.message(part.text.join(''));
        const content = { ...at, item_id: item.id, content_index: 0 };
        add({ ...item, status: 'in_progress', content: [] });
        events.push({
          type: 'response.content_part.added', ...content, part: { ...item.content[0], text: '' },
        });
        events.push(...part.text.map((delta) => (
          { type: 'response.output_text.delta', ...content, delta, logprobs: [] })));
        events.push({ type: 'response.output_text.done', ...content, text: item.content[0].text, logprobs: [] });
        events.push({ type: 'response.content_part.done', ...content, part: item.content[0] });
        output.push(item);
      } else {
        const { id, name, input } = part.call;
        const whole = JSON.stringify(input);
        const item = {
          id: `fc_${id}`, type: 'function_call', call_id: id, name, arguments: whole, status: 'completed',
        };
        add({ ...item, status: 'in_progress', arguments: '' });
        events.push(...halves(whole).map((delta) => ({
          type: 'response.function_call_arguments.delta', ...at, item_id: item.id, delta,
        })));
        events.push({ type: 'response.function_call_arguments.done', ...at, item_id: item.id, name, arguments: whole });
        output.push(item);
      }
      events.push({ type: 'response.output_item.done', ...at, item: output.at(-1) });
    }
    events.push({
      type: stop === 'length' ? 'response.incomplete' : 'response.completed',
      response: responses.finished(body, output, stop),
    });
    return events.map((event, sequence_number) => named({ ...event, sequence_number }));
  },
  whole: (body, { parts, stop }) => responses.finished(body, [responses.message(whole_text(parts))], stop),
  error: chat.error,
  heartbeat: named({ type: 'keepalive', sequence_number: 3 }),
  broken: named({
    type: 'error', sequence_number: 99, code: 'server_error', message: 'The server had an error', param: null,
  }),
};

export const protocols = { chat, messages, responses };
