/// A request in the form in which Claude Code sends it, with short texts: what Codex's back end refuses as it is.
#pragma once

#include <string_view>

namespace understudy::tool {

/// Of a client that speaks Messages (docs/protocols.md 3). Members and values as recorded: the limit on the answer, the
/// thinking, the edits of the context, the user (whose id is longer than OpenAI takes) and the schemas.
inline constexpr std::string_view agent_request = R"json({
  "model": "claude-opus-4-7",
  "max_tokens": 128000,
  "stream": true,
  "thinking": {"type": "adaptive", "display": "updates"},
  "output_config": {"effort": "medium"},
  "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
  "metadata": {"user_id": "{\"device_id\":\"6f1c0d6b0f0b4b6f8f7b2a3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70\",\"account_uuid\":\"\",\"session_id\":\"0b9c2f3e-6d1a-4c57-9b1e-2f60c1d7a9e4\"}"},
  "system": [
    {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.332; cc_entrypoint=cli;"},
    {"type": "text", "text": "You are a coding agent.", "cache_control": {"type": "ephemeral"}}
  ],
  "tools": [
    {"name": "Bash", "description": "Runs a command.", "input_schema": {"$schema": "https://json-schema.org/draft/2020-12/schema",
      "type": "object", "additionalProperties": false, "required": ["command"],
      "properties": {"command": {"type": "string"}, "timeout": {"type": "number", "exclusiveMinimum": 0}}}},
    {"name": "Read", "description": "Reads a file.", "input_schema": {"$schema": "https://json-schema.org/draft/2020-12/schema",
      "type": "object", "additionalProperties": false, "required": ["file_path"],
      "properties": {"file_path": {"type": "string"}}}}
  ],
  "messages": [
    {"role": "user", "content": [
      {"type": "text", "text": "How does it go on?", "cache_control": {"type": "ephemeral"}}]}
  ]
})json";

}  // namespace understudy::tool
