// The official clients, each with the three ways to ask it. All give what they got in the same words:
// {text, thinking, calls: [[id, name, input]], stop, usage, model}; `on_text` hears each token that comes.
import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import OpenAI from 'openai';

import { protocols } from './protocols.mjs';
import { level } from './upstream.mjs';

const prompt = 'How full is the tank?';
const system = 'You watch tanks.';
const description = 'Reads a level.';
const png = { type: 'base64', media_type: 'image/png' };
const data_url = (image) => `data:image/png;base64,${image}`;

const word_of = (protocol, stop) =>
  Object.entries(protocols[protocol].finish).find(([, theirs]) => theirs === stop)?.[0] ?? stop;

const of_completion = ({ choices: [{ message, finish_reason }], usage, model }) => ({
  text: message.content ?? '',
  thinking: message.reasoning_content ?? '',
  calls: (message.tool_calls ?? []).map(({ id, function: f }) => [id, f.name, JSON.parse(f.arguments)]),
  stop: word_of('chat', finish_reason),
  usage: usage && { input: usage.prompt_tokens, output: usage.completion_tokens },
  model,
});

export const chat = {
  name: 'chat',
  errors: OpenAI,
  make: (url, options) => new OpenAI({ baseURL: `${url}/v1`, ...options }),
  api: (sdk) => sdk.chat.completions,

  request: (model, { image, tools, schema } = {}) => ({
    model,
    messages: [
      { role: 'system', content: system },
      {
        role: 'user',
        content: image
          ? [{ type: 'text', text: prompt }, { type: 'image_url', image_url: { url: data_url(image) } }]
          : prompt,
      },
    ],
    ...(tools && {
      tools: [{ type: 'function', function: { name: 'read_level', description, parameters: level } }],
    }),
    ...(schema && { response_format: { type: 'json_schema', json_schema: { name: 'level', schema } } }),
  }),
  after: (request, { calls }, results) => ({
    ...request,
    messages: [
      ...request.messages,
      {
        role: 'assistant', content: null,
        tool_calls: calls.map(([id, name, input]) => (
          { id, type: 'function', function: { name, arguments: JSON.stringify(input) } })),
      },
      ...calls.map(([id], n) => ({ role: 'tool', tool_call_id: id, content: results[n] })),
    ],
  }),

  async whole(client, request, options) {
    return of_completion(await client.chat.completions.create(request, options));
  },
  async stream(client, request, options, on_text = () => {}) {
    const message = { tool_calls: [] };
    const got = { choices: [{ message }] };
    const streamed = await client.chat.completions.create(
      { ...request, stream: true, stream_options: { include_usage: true } }, options);
    for await (const { choices: [choice], usage, model } of streamed) {
      Object.assign(got, { model, usage: usage ?? undefined });
      got.choices[0].finish_reason = choice?.finish_reason ?? got.choices[0].finish_reason;
      const { content, reasoning_content, tool_calls = [] } = choice?.delta ?? {};
      if (content) {
        message.content = (message.content ?? '') + content;
        on_text(content);
      }
      if (reasoning_content) {
        message.reasoning_content = (message.reasoning_content ?? '') + reasoning_content;
      }
      for (const { index, function: { arguments: more, ...f }, ...call } of tool_calls) {
        message.tool_calls[index] ??= { ...call, function: { ...f, arguments: '' } };
        message.tool_calls[index].function.arguments += more ?? '';
      }
    }
    return of_completion(got);
  },
  async helper(client, request, options, on_text = () => {}) {
    const streamed = client.chat.completions.stream(
      { ...request, stream_options: { include_usage: true } }, options);
    streamed.on('content', on_text);
    return of_completion(await streamed.finalChatCompletion());
  },
  async loop(client, request, run, stream) {
    const tools = [{
      type: 'function',
      function: { name: 'read_level', description, parameters: level, parse: JSON.parse, function: run },
    }];
    const loop = client.chat.completions.runTools({ ...request, tools, stream }, { maxChatCompletions: 3 });
    return await loop.finalContent();
  },
};

const of_message = ({ content, stop_reason, usage, model }) => ({
  text: content.map((block) => block.text ?? '').join(''),
  thinking: content.map((block) => block.thinking ?? '').join(''),
  calls: content.filter((block) => block.type === 'tool_use').map(({ id, name, input }) => [id, name, input]),
  stop: word_of('messages', stop_reason),
  usage: { input: usage.input_tokens, output: usage.output_tokens },
  model,
});

export const messages = {
  name: 'messages',
  errors: Anthropic,
  make: (url, options) => new Anthropic({ baseURL: url, ...options }),
  api: (sdk) => sdk.messages,

  request: (model, { image, tools, schema } = {}) => ({
    model,
    max_tokens: 500,
    system,
    messages: [{
      role: 'user',
      content: image
        ? [{ type: 'text', text: prompt }, { type: 'image', source: { ...png, data: image } }]
        : prompt,
    }],
    ...(tools && { tools: [{ name: 'read_level', description, input_schema: level }] }),
    ...(schema && { output_config: { format: { type: 'json_schema', schema } } }),
  }),
  after: (request, { calls }, results) => ({
    ...request,
    messages: [
      ...request.messages,
      { role: 'assistant', content: calls.map(([id, name, input]) => ({ type: 'tool_use', id, name, input })) },
      {
        role: 'user',
        content: calls.map(([id], n) => ({ type: 'tool_result', tool_use_id: id, content: results[n] })),
      },
    ],
  }),

  async whole(client, request, options) {
    return of_message(await client.messages.create(request, options));
  },
  async stream(client, request, options, on_text = () => {}) {
    const got = { content: [], usage: {} };
    const merge = ({ usage, ...rest }) => {
      Object.assign(got, rest, { usage: { ...got.usage, ...usage } });
    };
    for await (const event of await client.messages.create({ ...request, stream: true }, options)) {
      const block = got.content[event.index];
      if (event.type === 'message_start') {
        merge(event.message);
      } else if (event.type === 'content_block_start') {
        got.content[event.index] = { ...event.content_block, json: '' };
      } else if (event.type === 'content_block_delta') {
        block.text += event.delta.text ?? '';
        block.thinking += event.delta.thinking ?? '';
        block.json += event.delta.partial_json ?? '';
        event.delta.text && on_text(event.delta.text);
      } else if (event.type === 'content_block_stop' && block.type === 'tool_use') {
        block.input = JSON.parse(block.json);
      } else if (event.type === 'message_delta') {
        merge({ ...event.delta, usage: event.usage });
      } else if (event.type === 'message_stop') {
        got.content.forEach((one) => ['text', 'thinking'].forEach((key) => key === one.type || delete one[key]));
        return of_message(got);
      }
    }
    return {};
  },
  async helper(client, request, options, on_text = () => {}) {
    const streamed = client.messages.stream(request, options);
    streamed.on('text', on_text);
    return of_message(await streamed.finalMessage());
  },
  async loop(client, request, run, stream) {
    const tools = [betaTool({ name: 'read_level', description, inputSchema: level, run })];
    const loop = client.beta.messages.toolRunner({ ...request, tools, stream, max_iterations: 3 });
    const message = await loop.runUntilDone();
    return message.content[0].text;
  },
};

const of_response = ({ output, status, incomplete_details, usage, model }) => ({
  text: output.flatMap((item) => item.content ?? []).map((part) => part.text).join(''),
  thinking: output.flatMap((item) => item.summary ?? []).map((part) => part.text).join(''),
  calls: output.filter((item) => item.type === 'function_call')
    .map((item) => [item.call_id, item.name, JSON.parse(item.arguments)]),
  stop: incomplete_details?.reason === 'max_output_tokens' ? 'length'
    : status !== 'completed' ? status
    : output.some((item) => item.type === 'function_call') ? 'call' : 'end',
  usage: usage && { input: usage.input_tokens, output: usage.output_tokens },
  model,
});

export const responses = {
  name: 'responses',
  errors: OpenAI,
  make: chat.make,
  api: (sdk) => sdk.responses,

  request: (model, { image, tools, schema } = {}) => ({
    model,
    instructions: system,
    input: [{
      role: 'user',
      content: image
        ? [{ type: 'input_text', text: prompt }, { type: 'input_image', image_url: data_url(image) }]
        : prompt,
    }],
    ...(tools && {
      tools: [{ type: 'function', name: 'read_level', description, parameters: level, strict: false }],
    }),
    ...(schema && { text: { format: { type: 'json_schema', name: 'level', schema } } }),
  }),
  after: (request, { calls }, results) => ({
    ...request,
    input: [
      ...request.input,
      ...calls.map(([call_id, name, input]) => (
        { type: 'function_call', call_id, name, arguments: JSON.stringify(input) })),
      ...calls.map(([call_id], n) => ({ type: 'function_call_output', call_id, output: results[n] })),
    ],
  }),

  async whole(client, request, options) {
    const response = await client.responses.create(request, options);
    const got = of_response(response);
    return { ...got, text: response.output_text };
  },
  async stream(client, request, options, on_text = () => {}) {
    let text = '';
    let next = 0;
    for await (const event of await client.responses.create({ ...request, stream: true }, options)) {
      if (event.sequence_number !== next++) {
        throw new Error(`event ${event.sequence_number} where ${next - 1} was due`);
      }
      if (event.type === 'response.output_text.delta') {
        text += event.delta;
        on_text(event.delta);
      } else if (event.type === 'response.completed' || event.type === 'response.incomplete') {
        return { ...of_response(event.response), text };
      }
    }
    return { text };
  },
  async helper(client, request, options, on_text = () => {}) {
    const streamed = client.responses.stream(request, options);
    streamed.on('response.output_text.delta', ({ delta }) => on_text(delta));
    return of_response(await streamed.finalResponse());
  },
};
