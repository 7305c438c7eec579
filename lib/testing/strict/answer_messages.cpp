// Answers in the form of Anthropic Messages: protocols.md 2.
#include "testing/strict/answer_plan.hpp"
#include "testing/strict/checks.hpp"
#include "testing/strict/reasoning.hpp"

namespace understudy::testing::strict {
namespace {

/// A content block: as it starts, its deltas, as it is when it is whole.
struct Block {
  std::string start;
  std::vector<std::string> deltas;
  std::string whole;
};

std::string frame(std::string_view type, const std::string& members) {
  return "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type) + "\"" +
         members + "}\n\n";
}

Block thinking_block(const Asked& asked, const Plan& plan) {
  auto display = text_of(member(asked.body, "thinking"), "display");
  if (display.empty() && asked.model != nullptr) {
    display = asked.model->text("display_default");
  }
  const std::string text = display == "omitted" ? "" : plan.reasoning;
  // DeepSeek sends an empty signature.
  const auto signature = asked.backend.family == "deepseek" ? "" : seal_of(asked, text);
  Block block;
  block.start = R"({"type":"thinking","thinking":"","signature":""})";
  for (const auto word : spaced_words(text)) {
    block.deltas.push_back(R"({"type":"thinking_delta","thinking":)" + json_text(word) + "}");
  }
  block.deltas.push_back(R"({"type":"signature_delta","signature":)" + json_text(signature) + "}");
  block.whole = R"({"type":"thinking","thinking":)" + json_text(text) + R"(,"signature":)" +
                json_text(signature) + "}";
  return block;
}

Block text_block(const Plan& plan) {
  Block block;
  block.start = R"({"type":"text","text":""})";
  for (const auto word : spaced_words(plan.text)) {
    block.deltas.push_back(R"({"type":"text_delta","text":)" + json_text(word) + "}");
  }
  block.whole = R"({"type":"text","text":)" + json_text(plan.text) + "}";
  return block;
}

Block call_block(const Plan& plan) {
  const auto head = R"({"type":"tool_use","id":)" +
                    json_text(call_id("toolu_", plan.backend, plan.reasoning, plan.number)) +
                    R"(,"name":)" + json_text(plan.call->tool->name) + R"(,"input":)";
  Block block;
  block.start = head + "{}}";
  block.deltas.emplace_back(R"({"type":"input_json_delta","partial_json":""})");
  for (const auto word : spaced_words(plan.call->arguments)) {
    block.deltas.push_back(R"({"type":"input_json_delta","partial_json":)" + json_text(word) + "}");
  }
  block.whole = head + plan.call->arguments + "}";
  return block;
}

std::string message_usage(const Plan& plan, std::uint64_t output) {
  return R"({"input_tokens":)" + std::to_string(plan.input) +
         R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,)"
         R"("cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},)"
         R"("output_tokens":)" +
         std::to_string(output) + R"(,"service_tier":"standard"})";
}

/// AWS docs: claude-messages-thinking-block-binding; and of a model that has no such controls, nothing.
std::string transformations(const Asked& asked) {
  if (asked.model == nullptr || !contains(asked.betas, "thinking-binding-controls-2026-08-01")) {
    return {};
  }
  std::string all;
  for (const auto& part : sealed_parts(asked)) {
    if (part.fate == SealedPart::Fate::dropped) {
      all += (all.empty() ? "" : ",") +
             (R"({"type":"thinking_dropped","path":"messages.)" + std::to_string(part.index)) +
             ".content." + std::to_string(part.block) + R"(","reason":)" + json_text(part.reason) +
             "}";
    }
  }
  return R"(,"input_transformations":[)" + all + "]";
}

}  // namespace

StrictAnswer messages_answer(const Asked& asked, const Plan& plan) {
  std::vector<Block> blocks;
  if (plan.reasons) {
    blocks.push_back(thinking_block(asked, plan));
  }
  blocks.push_back(plan.call ? call_block(plan) : text_block(plan));
  const auto transformed = transformations(asked);
  const std::string reason = plan.call ? R"("tool_use")" : R"("end_turn")";
  const auto message = [&](const std::string& content, const std::string& stop,
                           const std::string& used) {
    return R"({"id":"msg_01)" + digest(std::to_string(plan.number)) +
           R"(","type":"message","role":"assistant","model":)" + json_text(asked.model_name) +
           R"(,"content":[)" + content + R"(],"stop_reason":)" + stop +
           R"(,"stop_sequence":null,"usage":)" + used + transformed + "}";
  };
  StrictAnswer answer;
  if (!asked.streamed()) {
    std::string content;
    for (const auto& block : blocks) {
      content += (content.empty() ? "" : ",") + block.whole;
    }
    answer.content_type = "application/json";
    answer.parts.push_back(message(content, reason, message_usage(plan, plan.output)));
    return answer;
  }
  answer.streamed = true;
  answer.content_type = "text/event-stream; charset=utf-8";
  auto& parts = answer.parts;
  parts.push_back(
      frame("message_start", ",\"message\":" + message("", "null", message_usage(plan, 1))));
  parts.push_back(frame("ping", ""));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto index = ",\"index\":" + std::to_string(i);
    const auto with = [&](std::string_view name, const std::string& value) {
      return std::string(index).append(name).append(value);
    };
    parts.push_back(frame("content_block_start", with(",\"content_block\":", blocks[i].start)));
    for (const auto& delta : blocks[i].deltas) {
      parts.push_back(frame("content_block_delta", with(",\"delta\":", delta)));
    }
    parts.push_back(frame("content_block_stop", index));
  }
  parts.push_back(frame("message_delta", R"(,"delta":{"stop_reason":)" + reason +
                                             R"(,"stop_sequence":null},"usage":{"input_tokens":)" +
                                             std::to_string(plan.input) +
                                             R"(,"cache_creation_input_tokens":0,)"
                                             R"("cache_read_input_tokens":0,"output_tokens":)" +
                                             std::to_string(plan.output) + "}"));
  parts.push_back(frame("message_stop", ""));
  return answer;
}

}  // namespace understudy::testing::strict
