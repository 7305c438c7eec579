#include "understudy/llm/conversation.hpp"

#include <algorithm>
#include <utility>

#include "opened_carrier.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm {
namespace {

/// A block of thinking as clients of Anthropic's protocol send it back.
std::string thinking_json(const AnswerBlock& block) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .member("type", "thinking")
      .member("thinking", block.text)
      .member("signature", block.seal)
      .end_object();
  return out;
}

/// Reasoning whose seal is in a carrier, which says whose it is.
ReasoningPart reasoning_of(const AnswerBlock& block) {
  ReasoningPart part{Origin()};
  part.text = block.text;
  part.seal = block.seal;
  part.json = thinking_json(block);
  detail::open_carrier(part);
  return part;
}

ToolCallPart call_of(const AnswerBlock& block) {
  ToolCallPart call(block.id, block.name, block.arguments);
  call.form = block.form;
  call.name_space = block.name_space;
  return call;
}

bool answers(const Part& part, const std::string& call_id) {
  const auto* const result = std::get_if<ToolResultPart>(&part);
  return result != nullptr && result->call_id == call_id;
}

}  // namespace

Message message_of(const Answer& answer) {
  // The conversation stands where a client of another protocol would: every seal is put into a carrier, and opened.
  Answer carried = answer;
  carried.origin.home = false;
  Request reader;
  reader.origin = Protocol::anthropic_messages;
  carry_seals(carried, reader);
  Message message(Role::assistant);
  for (const auto& block : carried.blocks) {
    switch (block.kind) {
      case AnswerBlock::Kind::text:
      case AnswerBlock::Kind::refusal:
        if (!block.text.empty()) {
          TextPart text(block.text);
          text.refusal = block.kind == AnswerBlock::Kind::refusal;
          message.parts.emplace_back(std::move(text));
        }
        break;
      case AnswerBlock::Kind::reasoning:
        if (!block.text.empty() || !block.seal.empty()) {
          message.parts.emplace_back(reasoning_of(block));
        }
        break;
      case AnswerBlock::Kind::tool_call:
        if (block.complete) {
          message.parts.emplace_back(call_of(block));
        }
        break;
    }
  }
  return message;
}

ToolResultPart result_of(const ToolCallPart& call, std::string text, bool is_error) {
  ToolResultPart result(call.id, std::move(text));
  result.is_error = is_error;
  result.form = call.form;
  return result;
}

void Conversation::add_result(ToolResultPart result) {
  auto& messages = request_.messages;
  if (messages.empty() || messages.back().role != Role::user) {
    messages.emplace_back(Role::user);
  }
  // Results come first (request.hpp, invariant 1), in the order in which they are added.
  auto& parts = messages.back().parts;
  const auto place = std::find_if(parts.begin(), parts.end(), [](const Part& part) {
    return !std::holds_alternative<ToolResultPart>(part);
  });
  parts.insert(place, std::move(result));
}

std::vector<ToolCallPart> Conversation::open_calls() const {
  std::vector<ToolCallPart> open;
  const auto& messages = request_.messages;
  const auto last = std::find_if(messages.rbegin(), messages.rend(), [](const Message& message) {
    return message.role == Role::assistant;
  });
  if (last == messages.rend()) {
    return open;
  }
  for (const auto& part : last->parts) {
    const auto* const call = std::get_if<ToolCallPart>(&part);
    const bool answered =
        call != nullptr && std::any_of(messages.rbegin(), last, [&](const Message& message) {
          return std::any_of(message.parts.begin(), message.parts.end(),
                             [&](const Part& one) { return answers(one, call->id); });
        });
    if (call != nullptr && !answered) {
      open.push_back(*call);
    }
  }
  return open;
}

}  // namespace understudy::llm
