/// The strictest client of the Responses API (protocols.md 4.2).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reader.hpp"

namespace strict_client::detail {

class Responses final : public Reader {
 public:
  void event(const std::string& name, const element& json) override {
    const auto type = text_at(json, "/type");
    want(name == type, "event " + name + " of type " + type);
    const auto number = number_at(json, "/sequence_number");
    want(number == next_number_, type + " has number " + std::to_string(number) + " in place of " +
                                     std::to_string(next_number_));
    ++next_number_;
    want(!ended_, type + " behind the end");
    if (type == "keepalive") {
      want(!ours || created_, "keepalive before response.created");
      return;
    }
    if (type == "error") {
      want(!verdict.failed, "error twice");
      verdict.failed = true;
      if (ours) {
        want(created_, "error before response.created");
        check(json, schema::error_event, "error event");
        check(at(json, "/error"), schema::response_error, "error event's error");
        check_word(schema::response_error_codes, text_at(json, "/code"), "error code");
      }
      return;
    }
    want(!ours || !verdict.failed || type == "response.failed", type + " behind an error");
    want(created_ || type == "response.created", type + " before response.created");
    if (type == "response.created" || type == "response.in_progress") {
      want(created_ == (type == "response.in_progress"), type + " at the wrong place");
      created_ = true;
      read_response(json, "in_progress");
    } else if (type == "response.completed" || type == "response.incomplete" ||
               type == "response.failed") {
      read_terminal(json, type.substr(sizeof("response.") - 1));
    } else if (type == "response.output_item.added") {
      add_item(json);
    } else {
      const auto index = number_at(json, "/output_index");
      const auto found = open_.find(index);
      if (found == open_.end()) {
        fail(type + " of an item that is not open: " + std::to_string(index));
      } else {
        read_of_item(type, json, found->second);
      }
    }
  }

  void done() override {}  // some servers send it

  void whole(const element& json) override {
    check_response(json);
    const auto status = text_at(json, "/status");
    want(status == "completed" || status == "incomplete", "status " + status);
    want(number_at(json, "/created_at") > 0, "created_at");
    verdict.created = number_at(json, "/created_at");
    each_at(json, "/output", [&](const element& item) {
      check_item(item);
      want(ids_.insert(text_at(item, "/id")).second, "two items have one id");
      want(text_at(item, "/status") != "in_progress", "an item in progress");
    });
    verdict.complete = true;
  }

 private:
  struct Part {
    std::string type;
    std::string text;
    bool said = false;  // its text is done
    bool done = false;
  };
  struct Item {
    std::string id;
    std::string type;
    std::string call_id;
    std::string name;
    std::string name_space;
    std::string arguments;
    bool arguments_done = false;
    std::vector<Part> parts;
  };

  void check_response(const element& response) {
    check(response, schema::response, "response");
    want(text_at(response, "/id") != "", "an empty id");
    want(text_at(response, "/object") == "response", "response.object");
    const auto status = text_at(response, "/status");
    want(null_at(response, "/completed_at") == (status != "completed"), "completed_at");
    want(null_at(response, "/incomplete_details") == (status != "incomplete"),
         "incomplete_details");
    want(null_at(response, "/error") == (status != "failed"), "error");
    if (status == "incomplete") {
      check_word(schema::incomplete_reasons, text_at(response, "/incomplete_details/reason"),
                 "reason");
    } else if (status == "failed") {
      check(at(response, "/error"), schema::response_error, "error");
      check_word(schema::response_error_codes, text_at(response, "/error/code"), "error.code");
    }
    if (!null_at(response, "/usage")) {
      check(at(response, "/usage"), schema::response_usage, "usage");
      want(number_at(response, "/usage/input_tokens_details/cached_tokens") >= 0, "cached_tokens");
      want(number_at(response, "/usage/output_tokens_details/reasoning_tokens") >= 0,
           "reasoning_tokens");
    }
    check(at(response, "/text"), schema::text_settings, "text");
    if (!null_at(response, "/reasoning")) {
      check(at(response, "/reasoning"), schema::reasoning_settings, "reasoning");
    }
    each_at(response, "/tools", [&](const element& tool) {
      if (text_at(tool, "/type") == "function") {
        check(tool, schema::function_tool, "tool");
      }
    });
  }

  void check_part(const element& part) {
    const auto type = text_at(part, "/type");
    if (type == "output_text") {
      check(part, schema::output_text, type);
    } else if (type == "refusal") {
      check(part, schema::refusal_part, type);
    } else if (type == "summary_text") {
      check(part, schema::summary_part, type);
    } else {
      want(!ours, "a part of type " + type);
    }
  }

  void check_item(const element& item) {
    if (!ours) {
      return;
    }
    const auto type = text_at(item, "/type");
    if (type == "message") {
      check(item, schema::message_item, type);
      want(text_at(item, "/role") == "assistant", "role");
      each_at(item, "/content", [&](const element& part) { check_part(part); });
    } else if (type == "function_call") {
      check(item, schema::call_item, type);
    } else if (type == "custom_tool_call") {
      check(item, schema::custom_call_item, type);
      want(text_at(item, "/id").starts_with("ctc_"), "the id of a custom call");
    } else if (type == "tool_search_call") {
      check(item, schema::search_call_item, type);
      want(text_at(item, "/execution") == "client", "a search that the client does not run");
    } else if (type == "reasoning") {
      check(item, schema::reasoning_item, type);
      each_at(item, "/summary", [&](const element& part) { check_part(part); });
    } else if (type == "compaction") {
      want(text_at(item, "/id").starts_with("cmp_") &&
               text_at(item, "/encrypted_content") != no_text,
           "a compaction without an id or a content");
    } else {
      fail("an item of type " + type);
    }
    if (type != "reasoning" && type != "compaction") {
      check_word(schema::item_statuses, text_at(item, "/status"), "item.status");
    }
  }

  void read_response(const element& json, const std::string& status) {
    if (ours) {
      check_response(at(json, "/response"));
    }
    want(text_at(json, "/response/object") == "response", "response.object");
    want(text_at(json, "/response/status") == status, "response.status");
    want(text_at(json, "/response/model") != no_text, "response.model");
    const auto id = text_at(json, "/response/id");
    want(id != no_text && (id_.empty() || id == id_), "response.id is missing or changes");
    id_ = id;
    const auto created = number_at(json, "/response/created_at");
    want(created > 0, "created_at is " + std::to_string(created));
    want(verdict.created == 0 || verdict.created == created, "created_at changes");
    verdict.created = created;
  }

  void read_terminal(const element& json, const std::string& status) {
    read_response(json, status);
    ended_ = true;
    verdict.failed = status == "failed";
    verdict.complete = !verdict.failed;
    want(open_.empty() || verdict.failed, "an item is left open");
    simdjson::dom::array output;
    if (json.at_pointer("/response/output").get(output) != simdjson::SUCCESS) {
      return fail("no output");
    }
    std::vector<std::string> items;
    for (const element item : output) {
      items.push_back(minified(item));
    }
    std::vector<std::string> closed;
    for (const auto& [index, item] : closed_) {
      closed.push_back(item);
    }
    want(items == closed, "the output is not what was said");
  }

  void add_item(const element& json) {
    const auto index = number_at(json, "/output_index");
    want(index == items_,
         "output_index " + std::to_string(index) + " in place of " + std::to_string(items_));
    ++items_;
    Item item;
    check_item(at(json, "/item"));
    want(!ours || text_at(json, "/item/type") == "reasoning" ||
             text_at(json, "/item/type") == "compaction" ||
             text_at(json, "/item/status") == "in_progress",
         "an item begins that is not in progress");
    item.id = text_at(json, "/item/id");
    item.type = text_at(json, "/item/type");
    item.call_id = text_at(json, "/item/call_id");
    item.name = text_at(json, "/item/name");
    want(item.id.size() > 1 && item.id.size() <= 64, "an item's id: " + item.id);
    want(ids_.insert(item.id).second, "two items are called " + item.id);
    item.name_space = text_at(json, "/item/namespace");
    if (item.type == "function_call" || item.type == "custom_tool_call") {
      const auto* const said = item.type == "function_call" ? "/item/arguments" : "/item/input";
      want(item.call_id.size() > 1 && item.name.size() > 1, "a call without a name");
      want(text_at(json, said).empty(), "a call begins with arguments");
    }
    open_[index] = std::move(item);
  }

  void read_of_item(const std::string& type, const element& json, Item& item) {
    if (type == "response.output_item.done") {
      return end_item(json, item);
    }
    want(text_at(json, "/item_id") == item.id, type + " calls " + item.id + " by another name");
    if (type.starts_with("response.function_call_arguments.")) {
      want(item.type == "function_call" && !item.arguments_done, type + " of a " + item.type);
      if (type.ends_with(".delta")) {
        item.arguments += text_at(json, "/delta");
      } else {
        const auto whole = text_at(json, "/arguments");
        check(json, schema::arguments_done, type);
        want(!ours || text_at(json, "/name") == item.name, "a call's name changes");
        want(whole == item.arguments || (item.arguments.empty() && whole == "{}"),
             "arguments are not what was said");
        item.arguments = whole;
        item.arguments_done = true;
      }
      return;
    }
    if (type.starts_with("response.custom_tool_call_input.")) {
      want(item.type == "custom_tool_call" && !item.arguments_done, type + " of a " + item.type);
      if (type.ends_with(".delta")) {
        check(json, schema::delta_event, type);
        want(!text_at(json, "/delta").empty(), "an empty delta");
        item.arguments += text_at(json, "/delta");
      } else {
        check(json, schema::input_done, type);
        want(text_at(json, "/input") == item.arguments, "the input is not what was said");
        item.arguments_done = true;
      }
      return;
    }
    const bool summary = type.find("summary") != std::string::npos;
    want(item.type == (summary ? "reasoning" : "message"), type + " of a " + item.type);
    const auto place = number_at(json, summary ? "/summary_index" : "/content_index");
    const auto parts = static_cast<std::int64_t>(item.parts.size());
    if (type == "response.content_part.added" || type == "response.reasoning_summary_part.added") {
      want(place == parts,
           "part " + std::to_string(place) + " in place of " + std::to_string(parts));
      want(parts == 0 || item.parts.back().done, "a part begins while another is open");
      check_part(at(json, "/part"));
      item.parts.push_back({text_at(json, "/part/type"), {}, false, false});
      return;
    }
    if (parts == 0 || place != parts - 1 || item.parts.back().done) {
      return fail(type + " of a part that is not open");
    }
    auto& part = item.parts.back();
    const std::string key = part.type == "refusal" ? "/refusal" : "/text";
    if (type.ends_with(".delta")) {
      want(!part.said, type + " behind its end");
      check(json, schema::delta_event, type);
      if (type == "response.output_text.delta") {
        check(json, schema::text_event, type);
      }
      part.text += text_at(json, "/delta");
    } else if (type == "response.output_text.done" || type == "response.refusal.done" ||
               type == "response.reasoning_summary_text.done") {
      want(!part.said, type + " twice");
      if (type == "response.output_text.done") {
        check(json, schema::text_event, type);
      }
      want((type == "response.refusal.done") == (part.type == "refusal"),
           type + " of " + part.type);
      want(text_at(json, key) == part.text, type + " is not what was said");
      part.said = true;
    } else if (type == "response.content_part.done" ||
               type == "response.reasoning_summary_part.done") {
      want(part.said, type + " before its text's end");
      check_part(at(json, "/part"));
      want(text_at(json, "/part" + key) == part.text, type + " is not what was said");
      part.done = true;
    } else {
      fail("unknown event " + type);
    }
  }

  void end_item(const element& json, const Item& item) {
    const auto index = number_at(json, "/output_index");
    check_item(at(json, "/item"));
    want(!ours || text_at(json, "/item/status") != "in_progress", "an item ends in progress");
    want(text_at(json, "/item/id") == item.id,
         item.id + " is called " + text_at(json, "/item/id") + " at its end");
    want(text_at(json, "/item/type") == item.type, "an item's type changes");
    const bool custom = item.type == "custom_tool_call";
    if (item.type == "function_call" || custom) {
      want(item.arguments_done, "a call ends before its arguments");
      want(text_at(json, custom ? "/item/input" : "/item/arguments") == item.arguments,
           "arguments are not what was said");
      want(text_at(json, "/item/namespace") == item.name_space, "a call's namespace changes");
      want(text_at(json, "/item/call_id") == item.call_id, "a call_id changes");
      want(text_at(json, "/item/name") == item.name, "a call's name changes");
    } else if (item.type == "message" || item.type == "reasoning") {
      simdjson::dom::array list;
      if (json.at_pointer(item.type == "message" ? "/item/content" : "/item/summary").get(list) !=
          simdjson::SUCCESS) {
        return fail("an item without parts");
      }
      std::size_t at = 0;
      for (const element part : list) {
        if (at == item.parts.size()) {
          return fail("an item ends with a part that did not begin");
        }
        const auto& said = item.parts[at++];
        want(said.done, "an item ends before its part");
        want(text_at(part, said.type == "refusal" ? "/refusal" : "/text") == said.text,
             "a part is not what was said");
      }
      want(at == item.parts.size(), "an item ends without a part that was said");
    }
    closed_[index] = minified(json.at_pointer("/item").value_unsafe());
    open_.erase(index);
  }

  std::int64_t next_number_ = 0;
  std::int64_t items_ = 0;
  bool created_ = false;
  bool ended_ = false;
  std::string id_;
  std::set<std::string> ids_;
  std::map<std::int64_t, Item> open_;
  std::map<std::int64_t, std::string> closed_;  // by output_index
};

}  // namespace strict_client::detail
