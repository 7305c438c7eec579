/// The strictest client of Chat Completions (protocols.md 3.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reader.hpp"

namespace strict_client::detail {

class Chat final : public Reader {
 public:
  void event(const std::string& name, const element& json) override {
    want(name.empty(), "event " + name);
    want(!done_, "a chunk behind [DONE]");
    if (has(json, "/error")) {
      verdict.failed = true;
      want(text_at(json, "/error/message") != no_text, "error without a message");
      return;
    }
    want(!verdict.failed, "a chunk behind an error");
    want(text_at(json, "/object") == "chat.completion.chunk", "object");
    check(json, schema::chat_chunk, "chunk");
    want(!ours || text_at(json, "/id") != "", "an empty id");
    same(id_, text_at(json, "/id"), "id");
    same(model_, text_at(json, "/model"), "model");
    const auto created = number_at(json, "/created");
    want(created > 0, "created is " + std::to_string(created));
    want(verdict.created == 0 || verdict.created == created, "created changes");
    verdict.created = created;
    const auto choices = size_at(json, "/choices");
    if (choices == 0) {
      want(number_at(json, "/usage/total_tokens") >= 0, "no choices, no usage");
      check(at(json, "/usage"), schema::chat_usage, "usage");
      want(finished_ && !counted_, "usage before the finish, or twice");
      counted_ = true;
      return;
    }
    want(choices == 1 && number_at(json, "/choices/0/index") == 0, "choices");
    want(!finished_, "a choice behind its finish");
    check(at(json, "/choices/0"), schema::chunk_choice, "choice");
    want(has(json, "/choices/0/delta"), "no delta");
    if (first_) {
      want(text_at(json, "/choices/0/delta/role") == "assistant", "the first chunk has no role");
      first_ = false;
    }
    simdjson::dom::array calls;
    if (json.at_pointer("/choices/0/delta/tool_calls").get(calls) == simdjson::SUCCESS) {
      for (const element call : calls) {
        read_call(call);
      }
    }
    finished_ = has(json, "/choices/0/finish_reason") && !null_at(json, "/choices/0/finish_reason");
    if (finished_) {
      const auto reason = text_at(json, "/choices/0/finish_reason");
      want(schema::is_one_of(schema::chat_finish_words, reason), "finish_reason " + reason);
      want(!ours || reason != "tool_calls" || !ids_.empty(), "tool_calls without a call");
    }
  }

  void whole(const element& json) override {
    check(json, schema::chat_chunk, "completion");
    check(at(json, "/usage"), schema::chat_usage, "usage");
    want(text_at(json, "/object") == "chat.completion", "object");
    want(text_at(json, "/id") != "", "an empty id");
    verdict.created = number_at(json, "/created");
    want(verdict.created > 0, "created");
    want(size_at(json, "/choices") == 1, "choices");
    const auto choice = at(json, "/choices/0");
    check(choice, schema::chat_choice, "choice");
    check(at(choice, "/message"), schema::chat_message, "message");
    check_word(schema::chat_finish_words, text_at(choice, "/finish_reason"), "finish_reason");
    each_at(choice, "/message/tool_calls", [&](const element& call) {
      if (text_at(call, "/type") == "custom") {
        check(call, schema::chat_custom_call, "call");
        check(at(call, "/custom"), schema::chat_custom, "custom");
      } else {
        check(call, schema::chat_call, "call");
        check(at(call, "/function"), schema::chat_function, "function");
      }
      want(text_at(call, "/id").size() > 1, "a call without an id");
    });
    verdict.complete = true;
  }

  void done() override {
    want(!done_ && !verdict.failed, "[DONE] twice, or behind an error");
    done_ = true;
    verdict.complete = finished_;
  }

 private:
  void same(std::optional<std::string>& known, const std::string& now, const std::string& what) {
    want(now != no_text && (!known || *known == now), what + " is missing or changes");
    known = now;
  }

  void read_call(const element& call) {
    const auto index = number_at(call, "/index");
    const auto known = static_cast<std::int64_t>(ids_.size());
    const bool custom = has(call, "/custom");
    want(text_at(call, custom ? "/custom/input" : "/function/arguments") != no_text,
         "a call's arguments are not a string");
    if (index == known) {
      want(text_at(call, "/id").size() > 1, "a call without an id");
      want(text_at(call, "/type") == (custom ? "custom" : "function"), "a call's type");
      want(text_at(call, custom ? "/custom/name" : "/function/name").size() > 1,
           "a call without a name");
      ids_.push_back(text_at(call, "/id"));
      return;
    }
    want(index >= 0 && index < known,
         "call " + std::to_string(index) + " in place of " + std::to_string(known));
    if (index >= 0 && index < known && has(call, "/id")) {
      want(text_at(call, "/id") == ids_[static_cast<std::size_t>(index)], "a call's id changes");
    }
  }

  std::optional<std::string> id_;
  std::optional<std::string> model_;
  std::vector<std::string> ids_;
  bool first_ = true;
  bool finished_ = false;
  bool counted_ = false;
  bool done_ = false;
};

}  // namespace strict_client::detail
