// The message of one choice: text, reasoning and calls, in fragments.
#include <algorithm>
#include <array>
#include <vector>

#include "fold.hpp"
#include "text/numbers.hpp"

namespace understudy::llm::detail::openai_chat {
namespace {

using json::Tree;

/// Members of a delta whose strings are pieces of one text, and whose arrays are pieces of one list.
constexpr std::array<std::string_view, 8> in_pieces{
    "content",     "refusal", "reasoning_content", "reasoning", "reasoning_text",
    "annotations", "images",  "citations"};

/// Members of a reasoning detail whose strings are pieces of one text (OpenRouter's documentation, "Reasoning Tokens").
bool piece_of_detail(std::string_view name) {
  return name == "text" || name == "summary" || name == "data";
}

bool is_empty(std::string_view value) {
  return json::is_null(value) || value == "\"\"" || value == "[]" || value == "{}";
}

/// The calls of functions, as the reader reads them.
std::vector<const AnswerBlock*> calls_of(const Answer& answer) {
  std::vector<const AnswerBlock*> calls;
  for (const auto& block : answer.blocks) {
    if (block.kind == AnswerBlock::Kind::tool_call) {
      calls.push_back(&block);
    }
  }
  return calls;
}

std::string arguments_of(const AnswerBlock& call) {
  return json::quoted(call.complete && call.arguments.empty() ? "{}" : call.arguments);
}

}  // namespace

const char* FoldedMessage::add_delta(std::string_view delta) {
  const char* why = nullptr;
  json::each_member(delta, [&](std::string_view name, std::string_view value) {
    why = add_member(name, value);
    return why == nullptr;
  });
  return why;
}

const char* FoldedMessage::add_member(std::string_view name, std::string_view value) {
  if (name == "content" && json::is_array(value)) {
    return add_content(value);
  }
  if (name == "tool_calls") {
    const char* why = nullptr;
    json::each_element(value, [&](std::string_view call) {
      why = add_call(call);
      return why == nullptr;
    });
    return why;
  }
  if (name == "reasoning_details") {
    return is_empty(value) ? nullptr : add_details(value);
  }
  Tree* const member = tree_.member(name);
  if (member == nullptr) {
    return too_many_parts;
  }
  if (std::find(in_pieces.begin(), in_pieces.end(), name) != in_pieces.end()) {
    said_ = said_ || !is_empty(value);
    member->append(value);
  } else if ((name == "function_call" || name == "audio") && json::is_object(value)) {
    said_ = true;
    return add_object(*member, value);
  } else {
    member->merge(value);
  }
  return nullptr;
}

/// The legacy call of a function, or audio: objects with texts in pieces.
const char* FoldedMessage::add_object(Tree& object, std::string_view value) {
  const bool added = json::each_member(value, [&](std::string_view name, std::string_view part) {
    Tree* const member = object.member(name);
    if (member != nullptr) {
      const bool piece = name == "arguments" || name == "data" || name == "transcript";
      piece ? member->append(part) : member->merge(part);
    }
    return member != nullptr;
  });
  return added ? nullptr : too_many_parts;
}

bool FoldedMessage::add_text(std::string_view name, std::string_view value) {
  if (!json::is_string(value) || is_empty(value)) {
    return true;
  }
  said_ = true;
  Tree* const text = tree_.member(name);
  if (text != nullptr) {
    text->append(value);
  }
  return text != nullptr;
}

/// Mistral's and Databricks' content is a list, which Chat's SDKs do not read: its text becomes the text of the message,
/// its reasoning `reasoning_content`. A part that says more, such as a signature or a reference, is kept unchanged in
/// `content_parts`.
const char* FoldedMessage::add_content(std::string_view parts) {
  const bool added = json::each_element(parts, [&](std::string_view part) {
    bool more = false;
    bool fits = add_text("content", part);
    json::each_member(part, [&](std::string_view name, std::string_view value) {
      const bool thought = name == "thinking" || name == "summary";
      fits = fits && (name != "text" || add_text("content", value)) &&
             (!thought || add_text("reasoning_content", value));
      json::each_element(thought ? value : std::string_view(), [&](std::string_view piece) {
        return json::each_member(piece, [&](std::string_view key, std::string_view text) {
          fits = fits && (key != "text" || add_text("reasoning_content", text));
          more = more || (key != "text" && key != "type" && !is_empty(text));
          return fits;
        });
      });
      const bool known = thought || name == "text" || name == "type" || name == "closed";
      more = more || (!known && !is_empty(value));
      return fits;
    });
    Tree* const kept = more ? tree_.member("content_parts") : nullptr;
    if (kept != nullptr) {
      kept->append("[" + std::string(part) + "]");
    }
    return fits && (!more || kept != nullptr);
  });
  return added ? nullptr : too_many_parts;
}

/// A fragment of a call of a function, or of a custom tool.
const char* FoldedMessage::add_call(std::string_view fragment) {
  const bool custom = json::is_object(json::member_of(fragment, "custom"));
  const auto function = json::member_of(fragment, custom ? "custom" : "function");
  Call* const call = call_of(fragment, function);
  if (call == nullptr) {
    return too_many_parts;
  }
  said_ = true;
  Tree& tree = tree_.member("tool_calls")->element(call->at);
  const bool added =
      json::each_member(fragment, [&](std::string_view name, std::string_view value) {
        if (name == "index" || (name == "id" && !call->id.empty())) {
          return true;
        }
        const bool called = (name == "function" || name == "custom") && json::is_object(value);
        Tree* const member = tree.member(name);
        if (member != nullptr && !called) {
          member->merge(value);
        }
        return member != nullptr && (!called || add_function(*member, *call, value));
      });
  if (call->id.empty()) {
    call->id = json::unescaped_text(json::member_of(fragment, "id"));
  }
  return added ? nullptr : too_many_parts;
}

bool FoldedMessage::add_function(Tree& into, Call& call, std::string_view function) {
  return json::each_member(function, [&](std::string_view name, std::string_view value) {
    Tree* const member = into.member(name);
    if (member == nullptr) {
      return false;
    }
    if (name == "arguments" || name == "input") {
      const bool text = json::is_string(value) || json::is_null(value);
      const auto piece = text ? json::unescaped_text(value) : std::string(value);
      call.arguments.add(piece);
      text ? member->append(value) : member->append(json::quoted(piece));
    } else if (name != "name" || is_empty(member->text())) {
      member->merge(value);
    }
    return true;
  });
}

/// The call that a fragment belongs to, as in call_reader.cpp. nullptr: there are too many.
FoldedMessage::Call* FoldedMessage::call_of(std::string_view fragment, std::string_view function) {
  const auto index = text::number_from<std::size_t>(json::member_of(fragment, "index"));
  const auto id = json::unescaped_text(json::member_of(fragment, "id"));
  const bool named = !is_empty(json::member_of(function, "name"));
  Call* call = nullptr;
  if (index) {
    const auto found = by_index_.find(*index);
    call = found == by_index_.end() ? nullptr : &calls_[found->second];
  } else if (!id.empty()) {
    const auto found = by_id_.find(id);
    call = found == by_id_.end() ? nullptr : &calls_[found->second];
  } else if (!calls_.empty()) {
    call = &calls_[latest_];
  }
  const bool another =
      call != nullptr && named &&
      (id.empty() ? call->arguments.whole() && !is_empty(json::member_of(function, "arguments"))
                  : call->id != id);
  if (call != nullptr && !another) {
    return call;
  }
  Tree* const all = tree_.member("tool_calls");
  if (all == nullptr || calls_.size() == OpenBlocks::most || all->add("{}") == nullptr) {
    return nullptr;
  }
  latest_ = calls_.size();
  by_index_.insert_or_assign(index.value_or(latest_), latest_);
  by_id_.insert_or_assign(id, latest_);
  return &calls_.emplace_back(Call{latest_, {}, {}});
}

/// OpenRouter's and MiniMax's. A detail continues the earlier one of its index and type; without an index, the last one,
/// unless it is sealed.
const char* FoldedMessage::add_details(std::string_view details) {
  Tree* const all = tree_.member("reasoning_details");
  if (all == nullptr) {
    return too_many_parts;
  }
  const bool added = json::each_element(details, [&](std::string_view detail) {
    said_ = true;
    const auto index = json::member_of(detail, "index");
    const auto id = json::member_of(detail, "id");
    const auto key = std::string(index) + ' ' + std::string(json::member_of(detail, "type"));
    const auto found = details_.find(key);
    const bool continues =
        found != details_.end() && (!index.empty() || (found->second + 1 == all->count() &&
                                                       is_empty(json::member_of(detail, "data"))));
    Tree* const known = continues ? &all->element(found->second) : nullptr;
    const Tree* const known_id = known == nullptr ? nullptr : known->find("id");
    const bool other = known_id != nullptr && !is_empty(id) && !is_empty(known_id->text()) &&
                       known_id->text() != id;
    if (known == nullptr || other) {
      details_.insert_or_assign(key, all->count());
      return all->add(detail) != nullptr;
    }
    return json::each_member(detail, [&](std::string_view name, std::string_view value) {
      Tree* const member = known->member(name);
      if (member != nullptr) {
        piece_of_detail(name) ? member->append(value) : member->merge(value);
      }
      return member != nullptr;
    });
  });
  return added ? nullptr : too_many_parts;
}

bool FoldedMessage::has_calls() {
  Tree* const calls = tree_.find("tool_calls");
  return calls != nullptr && calls->count() > 0;
}

bool FoldedMessage::has_function_call() {
  const Tree* const call = tree_.find("function_call");
  return call != nullptr && call->object();
}

/// Adds what every message has.
void FoldedMessage::complete(const Answer* typed) {
  Tree* const role = tree_.member("role");
  if (role != nullptr && role->null()) {
    role->set(R"("assistant")");
  }
  Tree* const content = tree_.member("content");
  if (content != nullptr && is_empty(content->text())) {
    content->set("null");
  }
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    Tree& call = tree_.find("tool_calls")->element(i);
    const bool custom = call.find("custom") != nullptr;
    Tree* const type = call.member("type");
    if (type != nullptr && type->null()) {
      type->set(custom ? R"("custom")" : R"("function")");
    }
  }
  correct(typed);
}

/// Arguments that are not an object are replaced by the reader's, which recognizes what was sent twice. A call that was
/// cut keeps what came.
void FoldedMessage::correct(const Answer* typed) {
  if (typed == nullptr || !has_calls()) {
    return;
  }
  const auto read = calls_of(*typed);
  Tree& calls = *tree_.find("tool_calls");
  std::vector<Tree*> functions;
  for (std::size_t i = 0; i < calls.count(); ++i) {
    if (calls.element(i).find("function") != nullptr) {
      functions.push_back(&calls.element(i));
    }
  }
  // Both count calls in the same way. If they do not, ids tell which is which.
  const bool in_order = functions.size() == read.size();
  for (std::size_t i = 0; i < functions.size(); ++i) {
    Tree* const id = functions[i]->member("id");
    Tree* const arguments = functions[i]->find("function")->member("arguments");
    if (id == nullptr || arguments == nullptr) {
      return;
    }
    const auto name = json::unescaped_text(id->text());
    const auto named = std::find_if(read.begin(), read.end(),
                                    [&](const AnswerBlock* block) { return block->id == name; });
    const auto found = in_order ? read.begin() + static_cast<std::ptrdiff_t>(i) : named;
    if (found == read.end()) {
      continue;
    }
    if (is_empty(id->text())) {
      id->set(json::quoted((*found)->id));
    }
    if (json::compact_object(json::unescaped_text(arguments->text())).empty()) {
      arguments->set(arguments_of(**found));
    }
  }
}

}  // namespace understudy::llm::detail::openai_chat
