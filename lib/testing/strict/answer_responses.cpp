// Answers in the form of Responses: protocols.md 4.
#include "testing/strict/answer_plan.hpp"

namespace understudy::testing::strict {
namespace {

/// An item of the output: as it is added, the events within it, as it is when it is done.
struct Item {
  std::string added;
  std::vector<std::pair<std::string, std::string>> events;  // type, members
  std::string done;
};

/// The fields that all events within an item have.
std::string place(const std::string& id, std::size_t index) {
  return R"(,"item_id":)" + json_text(id) + R"(,"output_index":)" + std::to_string(index);
}

bool stores(const Asked& asked) { return bool_of(member(asked.body, "store")).value_or(true); }

Item reasoning_item(const Asked& asked, const Plan& plan, std::size_t index) {
  const auto id = item_id("rs", stores(asked), plan.number);
  const bool sealed =
      contains(strings_of(member(asked.body, "include")), "reasoning.encrypted_content");
  const auto encrypted =
      sealed ? R"(,"encrypted_content":)" + json_text(seal_of(asked, std::nullopt)) : std::string();
  const bool summarized = present(member(asked.body, "reasoning"), "summary").has_value();
  const auto head = R"({"type":"reasoning","id":)" + json_text(id) + R"(,"summary":[)";
  const auto part = R"({"type":"summary_text","text":)" + json_text(plan.reasoning) + "}";
  Item item;
  item.added = head + "]" + encrypted + "}";
  item.done = head + (summarized ? part : "") + "]" + encrypted + "}";
  if (summarized) {
    const auto at = place(id, index) + R"(,"summary_index":0)";
    item.events.emplace_back("response.reasoning_summary_part.added",
                             at + R"(,"part":{"type":"summary_text","text":""})");
    for (const auto word : spaced_words(plan.reasoning)) {
      item.events.emplace_back("response.reasoning_summary_text.delta",
                               at + R"(,"delta":)" + json_text(word));
    }
    item.events.emplace_back("response.reasoning_summary_text.done",
                             at + R"(,"text":)" + json_text(plan.reasoning));
    item.events.emplace_back("response.reasoning_summary_part.done", at + R"(,"part":)" + part);
  }
  return item;
}

Item message_item(const Asked& asked, const Plan& plan, std::size_t index) {
  const auto id = item_id("msg", stores(asked), plan.number);
  const auto form = [&](std::string_view status, const std::string& content) {
    return R"({"type":"message","id":)" + json_text(id) + R"(,"status":)" + json_text(status) +
           R"(,"role":"assistant","content":[)" + content + "]}";
  };
  const auto part = [](std::string_view text) {
    return R"({"type":"output_text","text":)" + json_text(text) +
           R"(,"annotations":[],"logprobs":[]})";
  };
  const auto at = place(id, index) + R"(,"content_index":0)";
  Item item;
  item.added = form("in_progress", "");
  item.events.emplace_back("response.content_part.added", at + R"(,"part":)" + part(""));
  for (const auto word : spaced_words(plan.text)) {
    item.events.emplace_back("response.output_text.delta",
                             at + R"(,"delta":)" + json_text(word) + R"(,"logprobs":[])");
  }
  item.events.emplace_back("response.output_text.done",
                           at + R"(,"text":)" + json_text(plan.text) + R"(,"logprobs":[])");
  item.events.emplace_back("response.content_part.done", at + R"(,"part":)" + part(plan.text));
  item.done = form("completed", part(plan.text));
  return item;
}

Item call_item(const Asked& asked, const Plan& plan, std::size_t index) {
  const auto& tool = *plan.call->tool;
  const bool custom = tool.type == "custom";
  const auto id = item_id(custom ? "ctc" : "fc", stores(asked), plan.number);
  const std::string input = custom ? R"("input":)" : R"("arguments":)";
  const auto form = [&](std::string_view status, std::string_view text) {
    return std::string(R"({"type":)") + (custom ? R"("custom_tool_call")" : R"("function_call")") +
           R"(,"id":)" + json_text(id) + R"(,"status":)" + json_text(status) + R"(,"call_id":)" +
           json_text(call_id("call_", plan.backend, plan.reasoning, plan.number)) + R"(,"name":)" +
           json_text(tool.name) +
           (tool.space.empty() ? std::string() : R"(,"namespace":)" + json_text(tool.space)) + "," +
           input + json_text(text) + "}";
  };
  const std::string event =
      custom ? "response.custom_tool_call_input" : "response.function_call_arguments";
  const auto at = place(id, index);
  Item item;
  item.added = form("in_progress", "");
  for (const auto word : spaced_words(plan.call->arguments)) {
    item.events.emplace_back(event + ".delta", at + R"(,"delta":)" + json_text(word));
  }
  item.events.emplace_back(event + ".done",
                           at + "," + input + json_text(plan.call->arguments) +
                               (custom ? std::string() : R"(,"name":)" + json_text(tool.name)));
  item.done = form("completed", plan.call->arguments);
  return item;
}

/// The whole earlier conversation, sealed.
Item compaction_item(const Asked& asked, const Plan& plan) {
  Item item;
  item.done = R"({"type":"compaction","id":)" +
              json_text(item_id("cmp", stores(asked), plan.number)) + R"(,"encrypted_content":)" +
              json_text(seal_of(asked, std::nullopt)) + "}";
  item.added = item.done;
  return item;
}

std::string response_usage(const Plan& plan) {
  return R"({"input_tokens":)" + std::to_string(plan.input) +
         R"(,"input_tokens_details":{"cached_tokens":0},"output_tokens":)" +
         std::to_string(plan.output) + R"(,"output_tokens_details":{"reasoning_tokens":)" +
         std::to_string(plan.reasoning_tokens()) + R"(},"total_tokens":)" +
         std::to_string(plan.input + plan.output) + "}";
}

/// What was asked for in `name`, with these members in any case.
std::string settings(const Asked& asked, std::string_view name,
                     std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  const auto asked_for = member(asked.body, name);
  std::string out;
  for (const auto& [inner, otherwise] : members) {
    const auto value = member(asked_for, inner);
    out += (out.empty() ? "{" : ",") + json_text(inner) + ":" +
           (value ? minified(*value) : std::string(otherwise));
  }
  return out + "}";
}

std::string response(const Asked& asked, const Plan& plan, std::string_view status,
                     const std::string& output, const std::string& used) {
  const auto text =
      settings(asked, "text", {{"format", R"({"type":"text"})"}, {"verbosity", R"("medium")"}});
  const auto reasoning = settings(asked, "reasoning", {{"effort", "null"}, {"summary", "null"}});
  std::string out = R"({"id":"resp_)" + digest(std::to_string(plan.number)) +
                    R"(","object":"response","created_at":)" + std::string(created_at) +
                    R"(,"status":)" + json_text(status) + R"(,"completed_at":)" +
                    (status == "completed" ? std::string(created_at) : "null") +
                    R"(,"background":false,"error":null,"incomplete_details":null,"model":)" +
                    json_text(asked.model_name) + R"(,"output":[)" + output +
                    R"(],"previous_response_id":null,"reasoning":)" + reasoning + R"(,"text":)" +
                    text + R"(,"store":)" + (stores(asked) ? "true" : "false");
  constexpr std::pair<std::string_view, std::string_view> echoed[] = {
      {"instructions", "null"}, {"max_output_tokens", "null"},   {"max_tool_calls", "null"},
      {"metadata", "{}"},       {"parallel_tool_calls", "true"}, {"temperature", "1.0"},
      {"top_p", "1.0"},         {"top_logprobs", "0"},           {"tool_choice", R"("auto")"},
      {"tools", "[]"},          {"safety_identifier", "null"},   {"prompt_cache_key", "null"},
      {"user", "null"},
  };
  for (const auto& [name, otherwise] : echoed) {
    out += "," + json_text(name) + ":" + echo(asked, name, otherwise);
  }
  return out + R"(,"truncation":"disabled","presence_penalty":0.0,"frequency_penalty":0.0)" +
         R"(,"service_tier":"default","usage":)" + used + "}";
}

}  // namespace

StrictAnswer responses_answer(const Asked& asked, const Plan& plan) {
  std::vector<Item> items;
  if (!asked.said.empty() && asked.said.back().type == "compaction_trigger") {
    items.push_back(compaction_item(asked, plan));
  } else {
    if (plan.reasons) {
      items.push_back(reasoning_item(asked, plan, 0));
    }
    items.push_back(plan.call ? call_item(asked, plan, items.size())
                              : message_item(asked, plan, items.size()));
  }
  std::string output;
  for (const auto& item : items) {
    output += (output.empty() ? "" : ",") + item.done;
  }
  const auto completed = response(asked, plan, "completed", output, response_usage(plan));
  StrictAnswer answer;
  if (!asked.streamed()) {
    answer.content_type = "application/json";
    answer.parts.push_back(completed);
    return answer;
  }
  answer.streamed = true;
  answer.content_type = "text/event-stream; charset=utf-8";
  const auto add = [&](const std::string& type, const std::string& members) {
    answer.parts.push_back("event: " + type + "\ndata: {\"type\":" + json_text(type) +
                           ",\"sequence_number\":" + std::to_string(answer.parts.size()) + members +
                           "}\n\n");
  };
  const auto begun = ",\"response\":" + response(asked, plan, "in_progress", "", "null");
  add("response.created", begun);
  add("response.in_progress", begun);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto at = ",\"output_index\":" + std::to_string(i) + ",\"item\":";
    add("response.output_item.added", at + items[i].added);
    for (const auto& [type, members] : items[i].events) {
      add(type, members);
    }
    add("response.output_item.done", at + items[i].done);
  }
  add("response.completed", ",\"response\":" + completed);
  return answer;
}

}  // namespace understudy::testing::strict
