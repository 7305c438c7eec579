#include "carrier_edits.hpp"

#include <simdjson.h>

#include <utility>

#include "llm/opened_carrier.hpp"
#include "text/json_edit.hpp"
#include "text/json_tree.hpp"
#include "text/parsed_json.hpp"
#include "understudy/llm/carrier.hpp"

namespace understudy::llm::detail {
namespace {

using simdjson::dom::element;
using text::JsonEdit;
using text::JsonPath;

std::string_view text_of(const element& object, const char* member) {
  std::string_view text;
  return object[member].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

JsonPath below(JsonPath path, text::JsonStep step) {
  path.push_back(std::move(step));
  return path;
}

/// Calls `each(index, element)`. Returns how many there are.
template <class Each>
std::size_t each_element(const element& object, const char* member, Each each) {
  simdjson::dom::array list;
  std::size_t index = 0;
  if (object[member].get(list) == simdjson::SUCCESS) {
    for (const element one : list) {
      each(index++, one);
    }
  }
  return index;
}

class ReasoningEdits {
 public:
  ReasoningEdits(Protocol protocol, const ReasoningOrigin& to) : protocol_(protocol), to_(to) {}

  text::JsonEdits of(const element& body) {
    if (protocol_ == Protocol::openai_responses) {
      each_element(body, "input",
                   [&](std::size_t i, const element& item) { item_at(item, {"input", i}); });
    } else {
      each_element(body, "messages", [&](std::size_t i, const element& message) {
        protocol_ == Protocol::anthropic_messages ? message_at(message, {"messages", i})
                                                  : chat_message_at(message, {"messages", i});
      });
    }
    return std::move(edits_);
  }

  std::size_t restored = 0;
  std::size_t removed = 0;

 private:
  void remove(JsonPath path) {
    edits_.push_back(JsonEdit::remove(std::move(path)));
    ++removed;
  }

  void restore(JsonPath path, std::string json) {
    edits_.push_back(JsonEdit::set(std::move(path), std::move(json)));
    ++restored;
  }

  // --- Messages -----------------------------------------------------------------------------------

  void message_at(const element& message, const JsonPath& path) {
    const auto first = edits_.size();
    const auto before = removed;
    const auto blocks = each_element(message, "content", [&](std::size_t i, const element& block) {
      block_at(block, below(below(path, "content"), i));
    });
    if (blocks > 0 && removed - before == blocks) {  // without content it would be refused
      edits_.erase(edits_.begin() + static_cast<std::ptrdiff_t>(first), edits_.end());
      edits_.push_back(JsonEdit::remove(path));
    }
  }

  void block_at(const element& block, JsonPath path) {
    const auto type = text_of(block, "type");
    const bool redacted = type == "redacted_thinking";
    if (type != "thinking" && !redacted) {
      return;
    }
    const auto seal = text_of(block, redacted ? "data" : "signature");
    if (is_carrier(seal)) {
      const auto read = read_carrier(seal);
      auto original = read.carrier && reads(to_, *read.carrier)
                          ? anthropic_block(*read.carrier, simdjson::to_string(block))
                          : std::nullopt;
      if (!original) {
        return remove(std::move(path));
      }
      if (read.carrier->kind == CarrierKind::signature) {  // the fewest bytes
        return restore(below(std::move(path), "signature"), json::quoted(read.carrier->original));
      }
      if (read.carrier->kind == CarrierKind::unsigned_thinking) {
        edits_.push_back(JsonEdit::remove(below(std::move(path), "signature")));
        ++restored;
        return;
      }
      return restore(std::move(path), std::move(*original));
    }
    // Thinking without a signature is what is left of older sessions; a maker that signs refuses it.
    const bool unsealed = seal.empty() && !redacted;
    if (unsealed ? !to_.maker.empty() : !to_.home) {
      remove(std::move(path));
    }
  }

  // --- Responses ----------------------------------------------------------------------------------

  void item_at(const element& item, JsonPath path) {
    if (text_of(item, "type") != "reasoning") {
      // The server would look for the reasoning that an item with an id belongs to.
      if (orphaned_ && by_model(item) && !text_of(item, "id").empty()) {
        edits_.push_back(JsonEdit::remove(below(std::move(path), "id")));
      } else if (!by_model(item)) {
        orphaned_ = false;
      }
      return;
    }
    const auto seal = text_of(item, "encrypted_content");
    orphaned_ = false;
    if (is_carrier(seal)) {
      const auto read = read_carrier(seal);
      const bool own = read.carrier && reads(to_, *read.carrier);
      if (own && read.carrier->kind == CarrierKind::encrypted) {
        return restore(below(std::move(path), "encrypted_content"),
                       json::quoted(read.carrier->original));
      }
      if (own && read.carrier->kind == CarrierKind::unsigned_thinking) {
        edits_.push_back(JsonEdit::remove(below(std::move(path), "encrypted_content")));
        ++restored;
        return;
      }
    } else if (seal.empty() || to_.home) {
      return;
    }
    orphaned_ = true;
    remove(std::move(path));
  }

  static bool by_model(const element& item) {
    const auto type = text_of(item, "type");
    return type.ends_with("_call") || text_of(item, "role") == "assistant";
  }

  // --- Chat ---------------------------------------------------------------------------------------

  /// Of Chat's extensions, these hold seals: OpenRouter's details, and Gemini's signature of a call.
  void chat_message_at(const element& message, const JsonPath& path) {
    const auto readable = text_of(message, "reasoning_content");
    each_element(message, "tool_calls", [&](std::size_t i, const element& call) {
      if (!to_.home && !call["extra_content"].error()) {
        remove(below(below(below(path, "tool_calls"), i), "extra_content"));
      }
    });
    each_element(message, "reasoning_details", [&](std::size_t i, const element& detail) {
      const auto data = text_of(detail, "data");
      const auto seal = is_carrier(data) ? data : text_of(detail, "signature");
      if (!is_carrier(seal)) {
        if (!to_.home && !(data.empty() && seal.empty())) {
          remove(below(below(path, "reasoning_details"), i));
        }
        return;
      }
      auto here = below(below(path, "reasoning_details"), i);
      const auto read = read_carrier(seal);
      const bool own = read.carrier && reads(to_, *read.carrier);
      auto original = own ? reasoning_detail(*read.carrier, readable) : std::nullopt;
      if (own && read.carrier->kind == CarrierKind::call_signature) {
        restore(below(below(below(path, "tool_calls"), std::size_t{0}), "extra_content"),
                call_signature_json(*read.carrier));
        edits_.push_back(JsonEdit::remove(std::move(here)));
      } else if (original) {
        restore(std::move(here), std::move(*original));
      } else {
        remove(std::move(here));
      }
    });
  }

  Protocol protocol_;
  const ReasoningOrigin& to_;
  text::JsonEdits edits_;
  bool orphaned_ = false;  // the reasoning before the item was removed
};

std::size_t count_of(std::string_view body, std::string_view text) {
  std::size_t count = 0;
  for (auto at = body.find(text); at != std::string_view::npos;
       at = body.find(text, at + text.size())) {
    ++count;
  }
  return count;
}

/// Whether there can be anything to change. Most bodies are not parsed for it.
bool may_change(std::string_view body, const ReasoningOrigin& to) {
  const auto says = [&](std::string_view text) {
    return body.find(text) != std::string_view::npos;
  };
  if (says(R"("us1.)")) {
    return true;
  }
  if (!to.home) {
    return says(R"("signature")") || says(R"("redacted_thinking")") ||
           says(R"("encrypted_content")") || says(R"("reasoning_details")") ||
           says(R"("extra_content")");
  }
  const auto thoughts =
      count_of(body, R"("type":"thinking")") + count_of(body, R"("type": "thinking")");
  return !to.maker.empty() && thoughts > 0 &&
         (says(R"("signature":"")") || says(R"("signature": "")") ||
          count_of(body, R"("signature")") < thoughts);
}

}  // namespace

std::optional<OpenedBody> with_carriers_opened(std::string_view body, Protocol protocol,
                                               const ReasoningOrigin& to) {
  if (!may_change(body, to)) {
    return std::nullopt;
  }
  const text::ParsedJson parsed(body);
  if (parsed.root() == nullptr) {
    return std::nullopt;
  }
  ReasoningEdits reasoning(protocol, to);
  const auto edits = reasoning.of(*parsed.root());
  auto edited = edits.empty() ? std::nullopt : text::edit_json(body, edits);
  if (!edited) {
    return std::nullopt;
  }
  OpenedBody opened;
  opened.body = std::move(*edited);
  opened.restored = reasoning.restored;
  opened.removed = reasoning.removed;
  return opened;
}

}  // namespace understudy::llm::detail
