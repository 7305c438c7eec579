/// The strictest client of Anthropic's Messages (protocols.md 2.2).
#pragma once

#include <cstdint>
#include <string>

#include "reader.hpp"

namespace strict_client::detail {

class Anthropic final : public Reader {
 public:
  void event(const std::string& name, const element& json) override {
    if (name == "message_stop") {
      stop_event();
      return;
    }
    const auto type = text_at(json, "/type");
    want(name == type, "event " + name + " of type " + type);
    want(!stopped_ && !verdict.failed, type + " behind the end");
    if (type == "ping") {
      return;
    }
    if (type == "error") {
      verdict.failed = true;
      want(text_at(json, "/error/type") != no_text, "error without a type");
      check_word(schema::message_error_types, text_at(json, "/error/type"), "error.type");
      want(text_at(json, "/error/message") != no_text, "error without a message");
      return;
    }
    want(started_ || type == "message_start", type + " before message_start");
    if (type == "message_start") {
      want(!started_, "message_start twice");
      started_ = true;
      want(text_at(json, "/message/type") == "message", "message.type");
      want(text_at(json, "/message/role") == "assistant", "message.role");
      want(text_at(json, "/message/id") != no_text, "message.id");
      want(!ours || text_at(json, "/message/id") != "", "an empty id");
      check(at(json, "/message"), schema::message, "message");
      want(text_at(json, "/message/model") != no_text, "message.model");
      want(size_at(json, "/message/content") == 0, "message.content is not empty");
      want(null_at(json, "/message/stop_reason"), "message.stop_reason");
      want(number_at(json, "/message/usage/input_tokens") >= 0, "usage.input_tokens");
      want(number_at(json, "/message/usage/output_tokens") >= 0, "usage.output_tokens");
      return;
    }
    want(!delta_, type + " behind message_delta");
    const auto index = number_at(json, "/index");
    if (type == "content_block_start") {
      want(open_.empty(), "a block begins while another is open");
      want(index == blocks_,
           "block " + std::to_string(index) + " in place of " + std::to_string(blocks_));
      ++blocks_;
      open_ = text_at(json, "/content_block/type");
      if (ours) {
        check_block(at(json, "/content_block"));
      }
      if (open_ == "tool_use") {
        want(text_at(json, "/content_block/id").size() > 1, "tool_use without an id");
        want(text_at(json, "/content_block/name").size() > 1, "tool_use without a name");
        want(has(json, "/content_block/input"), "tool_use without an input");
      } else if (open_ == "text") {
        want(has(json, "/content_block/text"), "text block without a text");
      } else if (open_ == "thinking") {
        want(has(json, "/content_block/thinking"), "thinking block without thinking");
        want(has(json, "/content_block/signature"), "thinking block without a signature");
      }
    } else if (type == "content_block_delta") {
      want(!open_.empty() && index == blocks_ - 1, "a delta of a block that is not open");
      const auto kind = text_at(json, "/delta/type");
      const bool fits = open_ == "text"       ? kind == "text_delta" || kind == "citations_delta"
                        : open_ == "tool_use" ? kind == "input_json_delta"
                        : open_ == "thinking"
                            ? kind == "thinking_delta" || kind == "signature_delta"
                            : open_ != "redacted_thinking";
      want(fits, kind + " in a block of " + open_);
    } else if (type == "content_block_stop") {
      want(!open_.empty() && index == blocks_ - 1, "a block that is not open ends");
      open_.clear();
    } else if (type == "message_delta") {
      delta_ = true;
      const auto reason = text_at(json, "/delta/stop_reason");
      want(reason.size() > 1, "no stop_reason");
      check_word(schema::stop_reasons, reason, "stop_reason");
      // Anthropic was seen to leave a call open that was cut short (protocols.md 2.2). We close it.
      want(open_.empty() || (!ours && open_ == "tool_use" && reason != "tool_use"),
           open_ + " left open");
      want(number_at(json, "/usage/output_tokens") >= 0, "usage.output_tokens");
    } else if (type == "message_stop") {
      fail("message_stop without message_delta");
    } else {
      fail("unknown event " + type);
    }
  }

  void whole(const element& json) override {
    check(json, schema::message, "message");
    check(at(json, "/usage"), schema::message_usage, "usage");
    want(text_at(json, "/type") == "message" && text_at(json, "/role") == "assistant",
         "type, role");
    want(text_at(json, "/id") != "", "an empty id");
    check_word(schema::stop_reasons, text_at(json, "/stop_reason"), "stop_reason");
    each_at(json, "/content", [&](const element& block) {
      check_block(block);
      want(text_at(block, "/text") != "", "an empty block");
    });
    verdict.complete = true;
  }

 private:
  void check_block(const element& block) {
    const auto type = text_at(block, "/type");
    if (type == "text") {
      check(block, schema::text_block, type);
    } else if (type == "thinking") {
      check(block, schema::thinking_block, type);
    } else if (type == "redacted_thinking") {
      check(block, schema::redacted_block, type);
    } else if (type == "tool_use") {
      check(block, schema::tool_block, type);
    } else {
      fail("a block of type " + type);
    }
  }

  void stop_event() {
    want(delta_, "message_stop without message_delta");
    want(!stopped_, "message_stop twice");
    stopped_ = verdict.complete = true;
  }

  bool started_ = false;
  bool delta_ = false;
  bool stopped_ = false;
  std::int64_t blocks_ = 0;
  std::string open_;  // the type of the block
};

}  // namespace strict_client::detail
