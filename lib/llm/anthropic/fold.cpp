#include "fold.hpp"

#include "encoder.hpp"
#include "text/numbers.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail::anthropic {
namespace {

using json::Tree;

/// The member of a block that a delta of that type continues (protocols.md 2.2).
std::string_view continued_by(std::string_view delta) {
  return delta == "text_delta" ? "text" : delta == "thinking_delta" ? "thinking" : "";
}

/// A block whose beginning some servers leave out, as the reader begins it.
std::string_view unannounced(std::string_view delta) {
  if (delta == "text_delta") {
    return R"({"type":"text","text":""})";
  }
  return delta == "thinking_delta" || delta == "signature_delta"
             ? R"({"type":"thinking","thinking":"","signature":""})"
             : "";
}

/// Input that was cut is not an object. Anthropic's form for such a thing (documentation, "Fine-grained tool
/// streaming") keeps all of it, and is not taken for a call without input.
std::string invalid_input(std::string_view text) {
  return R"({"INVALID_JSON":)" + json::quoted(text) + "}";
}

void set(Tree& object, std::string_view name, std::string_view value) {
  if (Tree* const member = object.member(name)) {
    member->set(value);
  }
}

void set_if_null(Tree& object, std::string_view name, std::string_view value) {
  Tree* const member = object.member(name);
  if (member != nullptr && member->null()) {
    member->set(value);
  }
}

/// Whether Anthropic would not have sent the block: it has no empty texts, and refuses those that come back.
bool says_nothing(Tree& block) {
  const Tree* const type = block.find("type");
  Tree* const text = block.find("text");
  Tree* const citations = block.find("citations");
  return type != nullptr && type->text() == R"("text")" && text != nullptr &&
         text->text() == R"("")" && (citations == nullptr || citations->null());
}

}  // namespace

const char* Fold::add(std::string_view name, std::string_view json) {
  const auto member = json::member_of(json, "type");
  const auto type = json::is_string(member) ? json::inside_of(member) : name;
  const auto index = text::number_from<std::size_t>(json::member_of(json, "index"));
  if (type == "message_start") {
    begin_message(json::member_of(json, "message"));
  } else if (type == "message_delta") {
    return add_message_delta(json);
  } else if (type == "content_block_start" && index) {
    return begin_block(*index, json::member_of(json, "content_block"));
  } else if (type == "content_block_delta" && index) {
    return add_delta(*index, json::member_of(json, "delta"));
  }
  return nullptr;
}

const char* Fold::add_whole(std::string_view json) {
  whole_ = any_ = true;
  message_.set(json);
  return nullptr;
}

/// A second one begins the answer anew, as it does for Answer.
void Fold::begin_message(std::string_view message) {
  any_ = true;
  message_.set(json::is_object(message) ? message : "{}");
  blocks_.clear();
  latest_.clear();
}

const char* Fold::begin_block(std::size_t index, std::string_view block) {
  if (blocks_.size() == Tree::most_elements) {
    return too_many_parts;
  }
  latest_.insert_or_assign(index, blocks_.size());
  blocks_.push_back(Block{Tree(json::is_object(block) ? block : "{}"), {}});
  return nullptr;
}

const char* Fold::add_delta(std::size_t index, std::string_view delta) {
  const auto type = json::inside_of(json::member_of(delta, "type"));
  if (latest_.count(index) == 0) {
    const auto block = unannounced(type);
    const char* const why = block.empty() ? nullptr : begin_block(index, block);
    if (block.empty() || why != nullptr) {
      return why;
    }
  }
  Block& block = blocks_[latest_[index]];
  const auto continued = continued_by(type);
  const bool added = json::each_member(delta, [&](std::string_view name, std::string_view value) {
    if (type == "input_json_delta") {
      block.input += name == "partial_json" ? json::inside_of(value) : std::string_view();
      return true;
    }
    const bool citation = type == "citations_delta" && name == "citation";
    // A thinking_delta may also have an estimate of its tokens, which no message has.
    const bool passing = name == "type" || (!continued.empty() && name != continued);
    Tree* const member = passing ? nullptr : block.tree.member(citation ? "citations" : name);
    if (member == nullptr) {
      return passing;
    }
    if (citation) {
      member->append("[" + std::string(value) + "]");
    } else if (!continued.empty()) {
      member->append(value);
    } else {
      member->merge(value);
    }
    return true;
  });
  return added ? nullptr : too_many_parts;
}

/// Members of `delta` are the message's; so are those beside it, such as `context_management`.
const char* Fold::add_message_delta(std::string_view json) {
  const auto merge = [&](std::string_view name, std::string_view value) {
    Tree* const member = message_.member(name);
    if (member != nullptr) {
      member->merge(value);
    }
    return member != nullptr;
  };
  const bool added = json::each_member(json, [&](std::string_view name, std::string_view value) {
    return name == "type" ||
           (name == "delta" ? json::each_member(value, merge) : merge(name, value));
  });
  return added ? nullptr : too_many_parts;
}

std::size_t Fold::length() const {
  auto sum = message_.length();
  for (const auto& block : blocks_) {
    sum += block.tree.length() + block.input.size();
  }
  return sum;
}

void Fold::finish_blocks(const Answer& typed) {
  std::vector<const AnswerBlock*> read;
  for (const auto& block : typed.blocks) {
    if (block.kind == AnswerBlock::Kind::tool_call) {
      read.push_back(&block);
    }
  }
  std::size_t calls = 0;
  Tree content("[]");
  for (auto& [tree, input] : blocks_) {
    const auto* const member = tree.find("type");
    const auto type = std::string(member == nullptr ? "" : json::inside_of(member->text()));
    const auto* const call = type == "tool_use" && calls < read.size() ? read[calls++] : nullptr;
    if (!input.empty()) {
      const auto text = json::unescaped_text('"' + input + '"');
      auto object = json::compact_object(text);
      if (object.empty() && call != nullptr) {
        object = json::compact_object(call->arguments);
      }
      set(tree, "input", object.empty() ? invalid_input(text) : object);
      input = std::string();
    } else if (type == "tool_use") {
      set_if_null(tree, "input", "{}");
    } else if (type == "thinking") {
      set_if_null(tree, "signature", R"("")");  // the official clients drop a block without it
    }
    if (!says_nothing(tree)) {
      content.add(std::move(tree));
    }
  }
  blocks_.clear();
  if (Tree* const member = message_.member("content")) {
    *member = std::move(content);
  }
}

void Fold::finish_message(const Answer& typed) {
  set_if_null(message_, "type", R"("message")");
  set_if_null(message_, "role", R"("assistant")");
  message_.member("stop_sequence");
  const Tree* const usage = message_.find("usage");
  if (usage == nullptr || !usage->object()) {
    std::string counted;
    JsonWriter json(counted);
    json.begin_object();
    write_usage(json, typed.usage);
    json.end_object();
    set(message_, "usage", json::member_of(counted, "usage"));
  }
}

bool Fold::finish(const Answer& typed, std::string& out) {
  if (!any_) {
    return false;
  }
  if (!whole_) {
    finish_blocks(typed);
    finish_message(typed);
  }
  Tree* const reason = message_.member("stop_reason");
  const bool calls = typed.finish == FinishReason::tool_use;
  const bool contradicts = calls && reason != nullptr && reason->text() == R"("end_turn")";
  if (typed.finish && reason != nullptr && (reason->null() || contradicts)) {
    reason->set(json::quoted(stop_word(*typed.finish)));
  }
  out.reserve(out.size() + message_.length());
  message_.write(out);
  return true;
}

}  // namespace understudy::llm::detail::anthropic
