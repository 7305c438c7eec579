// What the bodies of requests and the events of answers contain, in each of the three protocols.

/** The tools of a request: names with their namespaces, types where there is no name. */
export function tools_of(body) {
  const name_of = (tool, space = '') =>
    tool.type === 'namespace'
      ? tool.tools.flatMap((inner) => name_of(inner, `${tool.name}__`))
      : [space + (tool.name ?? tool.function?.name ?? tool.custom?.name ?? tool.type)];
  const later = (Array.isArray(body.input) ? body.input : []).filter((item) => item.type === 'additional_tools');
  return [body, ...later].flatMap((one) => one.tools ?? []).flatMap((tool) => name_of(tool));
}

/** Whether the request has the result of a shell call, so that the answer to it ends the task. */
export function has_result(body) {
  const blocks = (body.messages ?? []).flatMap((one) => (Array.isArray(one.content) ? one.content : []));
  return (
    blocks.some((block) => block.type === 'tool_result') ||
    (body.messages ?? []).some((one) => one.role === 'tool') ||
    (Array.isArray(body.input) ? body.input : []).some((item) => /^(custom_tool|function)_call_output$/.test(item.type))
  );
}

/** What an event of a stream adds: 'text', 'arguments' of a call, 'end' (why the answer ended), or nothing of these. */
export function kind_of(event) {
  const line = event.split('\n').find((one) => one.startsWith('data: '))?.slice(6);
  if (!line || line === '[DONE]') {
    return line ? 'end' : '';
  }
  const data = JSON.parse(line);
  const choice = data.choices?.[0];
  const deltas = { text_delta: 'text', input_json_delta: 'arguments' };
  if (choice) {
    return choice.finish_reason ? 'end' : choice.delta.tool_calls ? 'arguments' : choice.delta.content ? 'text' : '';
  }
  if (data.choices || /^(message_delta|message_stop|response\.completed)$/.test(data.type)) {
    return 'end';
  }
  if (data.type === 'response.output_text.delta') {
    return 'text';
  }
  return /^response\.(function_call_arguments|custom_tool_call_input)\.delta$/.test(data.type)
    ? 'arguments'
    : (deltas[data.delta?.type] ?? '');
}
