// Answers in the form of Chat Completions, and of the servers that imitate it: protocols.md 3.
#include <algorithm>

#include "testing/strict/answer_plan.hpp"

namespace understudy::testing::strict {
namespace {

constexpr std::size_t most_choices = 8;

/// The member that shows the reasoning; "content": a part of the content.
std::string_view reasoning_field(std::string_view backend) {
  if (backend == "mistral") {
    return "content";
  }
  const bool newer = backend == "openrouter" || backend == "groq" || backend == "ollama" ||
                     backend == "vllm" || backend == "lmstudio";
  return newer ? "reasoning" : "reasoning_content";
}

std::string thinking_part(std::string_view text) {
  return R"({"type":"thinking","thinking":[{"type":"text","text":)" + json_text(text) + "}]}";
}

/// The call without its arguments' end: `head`, arguments as a JSON string, `tail`.
struct CallForm {
  std::string head;   ///< for a stream and for a whole answer
  std::string input;  ///< the member that holds the arguments
  std::string tail;
};

CallForm call_form(const Asked& asked, const Plan& plan) {
  const auto& tool = *plan.call->tool;
  const bool custom = tool.type == "custom";
  // Mistral: nine letters and digits.
  const auto id = asked.backend.id == "mistral"
                      ? digest("call" + std::to_string(plan.number)).substr(0, 9)
                      : call_id("call_", plan.backend, plan.reasoning, plan.number);
  CallForm form;
  form.head = R"("id":)" + json_text(id) + R"(,"type":)" + json_text(tool.type);
  if (asked.backend.id == "gemini") {
    form.head += R"(,"extra_content":{"google":{"thought_signature":)" +
                 json_text(seal_of(asked, std::nullopt)) + "}}";
  }
  form.head += "," + json_text(tool.type) + R"(:{"name":)" + json_text(tool.name) + ",";
  form.input = custom ? R"("input":)" : R"("arguments":)";
  form.tail = "}";
  return form;
}

std::string chat_usage(const Plan& plan) {
  return R"({"prompt_tokens":)" + std::to_string(plan.input) + R"(,"completion_tokens":)" +
         std::to_string(plan.output) + R"(,"total_tokens":)" +
         std::to_string(plan.input + plan.output) +
         R"(,"prompt_tokens_details":{"cached_tokens":0},)"
         R"("completion_tokens_details":{"reasoning_tokens":)" +
         std::to_string(plan.reasoning_tokens()) + "}}";
}

std::vector<std::string> deltas_of(const Asked& asked, const Plan& plan) {
  std::vector<std::string> deltas = {R"({"role":"assistant","content":"","refusal":null})"};
  const auto field = reasoning_field(asked.backend.id);
  for (const auto word : spaced_words(plan.reasoning)) {
    deltas.push_back(field == "content" ? R"({"content":[)" + thinking_part(word) + "]}"
                                        : "{" + json_text(field) + ":" + json_text(word) + "}");
  }
  for (const auto word : spaced_words(plan.text)) {
    deltas.push_back(R"({"content":)" + json_text(word) + "}");
  }
  if (plan.call) {
    const auto form = call_form(asked, plan);
    deltas.push_back(R"({"tool_calls":[{"index":0,)" + form.head + form.input + R"("")" +
                     form.tail + "}]}");
    for (const auto word : spaced_words(plan.call->arguments)) {
      deltas.push_back(R"({"tool_calls":[{"index":0,)" + json_text(plan.call->tool->type) + ":{" +
                       form.input + json_text(word) + form.tail + "}]}");
    }
  }
  deltas.emplace_back("{}");
  return deltas;
}

std::string message_of(const Asked& asked, const Plan& plan) {
  const auto field = reasoning_field(asked.backend.id);
  std::string out = R"({"role":"assistant","content":)";
  if (field == "content" && !plan.reasoning.empty()) {
    out += "[" + thinking_part(plan.reasoning) + R"(,{"type":"text","text":)" +
           json_text(plan.text) + "}]";
  } else {
    out += plan.call ? std::string("null") : json_text(plan.text);
    if (!plan.reasoning.empty()) {
      out += "," + json_text(field) + ":" + json_text(plan.reasoning);
    }
  }
  if (plan.call) {
    const auto form = call_form(asked, plan);
    out += R"(,"tool_calls":[{)" + form.head + form.input + json_text(plan.call->arguments) +
           form.tail + "}]";
  }
  return out + R"(,"refusal":null})";
}

}  // namespace

StrictAnswer chat_answer(const Asked& asked, const Plan& plan) {
  const auto head = R"({"id":"chatcmpl-)" + digest(std::to_string(plan.number)) +
                    R"(","object":"chat.completion)" + (asked.streamed() ? ".chunk" : "") +
                    R"(","created":)" + std::string(created_at) + R"(,"model":)" +
                    json_text(asked.model_name);
  const std::string reason = plan.call ? R"("tool_calls")" : R"("stop")";
  const auto wanted = number_of(member(asked.body, "n")).value_or(1);
  const auto choices =
      static_cast<std::size_t>(std::clamp(wanted, 1.0, static_cast<double>(most_choices)));
  StrictAnswer answer;
  if (!asked.streamed()) {
    std::string all;
    for (std::size_t i = 0; i < choices; ++i) {
      all += (i > 0 ? "," : "") + std::string(R"({"index":)") + std::to_string(i) +
             R"(,"message":)" + message_of(asked, plan) + R"(,"logprobs":null,"finish_reason":)" +
             reason + "}";
    }
    answer.content_type = "application/json";
    answer.parts.push_back(head + R"(,"choices":[)" + all + R"(],"usage":)" + chat_usage(plan) +
                           "}");
    return answer;
  }
  answer.streamed = true;
  answer.content_type = "text/event-stream; charset=utf-8";
  const bool with_usage =
      bool_of(member(member(asked.body, "stream_options"), "include_usage")).value_or(false);
  const auto deltas = deltas_of(asked, plan);
  for (const auto& delta : deltas) {
    const bool last = &delta == &deltas.back();
    for (std::size_t i = 0; i < choices; ++i) {
      auto& frame = answer.parts.emplace_back("data: ");
      frame.append(head).append(R"(,"choices":[{"index":)").append(std::to_string(i));
      frame.append(R"(,"delta":)").append(delta).append(R"(,"logprobs":null,"finish_reason":)");
      frame.append(last ? reason : "null").append("}]");
      frame.append(with_usage ? R"(,"usage":null)" : "").append("}\n\n");
    }
  }
  if (with_usage) {
    answer.parts.push_back("data: " + head + R"(,"choices":[],"usage":)" + chat_usage(plan) +
                           "}\n\n");
  }
  answer.parts.emplace_back("data: [DONE]\n\n");
  return answer;
}

}  // namespace understudy::testing::strict
