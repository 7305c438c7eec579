// Checks of reasoning that comes back.
#include <algorithm>

#include "testing/strict/checks.hpp"
#include "testing/strict/reasoning.hpp"
#include "testing/strict/seal.hpp"

namespace understudy::testing::strict {
namespace {

using Fate = SealedPart::Fate;

constexpr std::size_t most_shown = 16;  // bytes of a seal in a message

Violation at_part(const SealedPart& part) {
  Violation found;
  found.index = part.index;
  found.block = part.block;
  found.value = part.seal.size() > most_shown ? part.seal.substr(0, most_shown) + "..." : part.seal;
  return found;
}

/// Of a call in `extra_content.google.thought_signature`.
std::string_view thought_signature(JsonObject call) {
  return text_of(member(member(call, "extra_content"), "google"), "thought_signature");
}

/// The type of a message's first block.
std::string_view first_type(const Said& message) {
  const auto blocks = message.blocks();
  return blocks && blocks->size() > 0 ? text_of(std::optional(Json(blocks->at(0))), "type")
                                      : "text";
}

}  // namespace

namespace checks {

Found signature(const Rule&, const Asked& asked) {
  for (const auto& part : sealed_parts(asked)) {
    if (part.fate == Fate::foreign) {
      return at_part(part);
    }
    if (part.fate == Fate::missing) {
      auto found = at_part(part);
      found.message = "messages." + std::to_string(part.index) + ".content." +
                      std::to_string(part.block) + ".thinking.signature: Field required";
      return found;
    }
  }
  return std::nullopt;
}

Found loop_begins_with_thinking(const Rule&, const Asked& asked) {
  const auto mode = text_of(member(asked.body, "thinking"), "type");
  const auto& said = asked.said;
  if (mode != "enabled" || said.empty() || first_type(said.back()) != "tool_result") {
    return std::nullopt;
  }
  const Said* begins = nullptr;
  for (auto one = said.rbegin(); one != said.rend(); ++one) {
    if (one->role == "assistant") {
      begins = &*one;
    } else if (first_type(*one) != "tool_result") {
      break;
    }
  }
  const auto type = begins != nullptr ? first_type(*begins) : "thinking";
  if (type == "thinking" || type == "redacted_thinking") {
    return std::nullopt;
  }
  Violation found;
  found.index = begins->index;
  found.value = type;
  return found;
}

Found binding(const Rule&, const Asked& asked) {
  for (const auto& part : sealed_parts(asked)) {
    if (part.fate == Fate::moved) {
      return at_part(part);
    }
  }
  return std::nullopt;
}

Found encrypted(const Rule&, const Asked& asked) {
  for (const auto& part : sealed_parts(asked)) {
    if (part.fate == Fate::foreign) {
      return at_part(part);
    }
  }
  return std::nullopt;
}

Found reasoning_followed(const Rule&, const Asked& asked) {
  const auto violation = [](const Said& one, std::string message = {}) {
    Violation found;
    found.index = one.index;
    found.value = text_of(one.value, "id");
    found.message = std::move(message);
    return found;
  };
  const Said* waiting = nullptr;  // for the item that it led to
  const auto alone = [&] {
    return violation(*waiting, "Item '" + std::string(text_of(waiting->value, "id")) +
                                   "' of type 'reasoning' was provided without its required "
                                   "following item.");
  };
  for (const auto& one : asked.said) {
    if (one.type != "reasoning") {
      if (waiting != nullptr && !one.by_model) {
        return alone();
      }
      waiting = nullptr;
      continue;
    }
    const auto sealed = string_of(member(one.value, "encrypted_content"));
    if ((!sealed || sealed->empty()) && !is_stored_item(text_of(one.value, "id"))) {
      return violation(one);
    }
    waiting = &one;
  }
  return waiting != nullptr ? Found(alone()) : std::nullopt;
}

Found needs_reasoning_content(const Rule& rule, const Asked& asked) {
  if (!asked.thinking) {
    return std::nullopt;
  }
  for (const auto& one : asked.said) {
    if (one.role != "assistant" || !present(one.value, "tool_calls")) {
      continue;
    }
    const auto text = string_of(member(one.value, rule.text("field")));
    bool missing = !text;
    each_object(member(one.value, "tool_calls"), [&](JsonObject call) {
      const auto own = reasoning_digest(text_of(call, "id"), asked.backend.id);
      missing = missing || (own && digest(*text) != *own);
    });
    if (missing) {
      Violation found;
      found.index = one.index;
      found.param = rule.text("field");
      return found;
    }
  }
  return std::nullopt;
}

Found needs_signature(const Rule&, const Asked& asked) {
  constexpr std::string_view placeholder = "skip_thought_signature_validator";
  if (asked.model == nullptr || asked.model->text("signatures") != "required") {
    return std::nullopt;
  }
  std::size_t turn = 0;  // behind the last message of the user
  for (std::size_t i = 0; i < asked.said.size(); ++i) {
    turn = asked.said[i].role == "user" ? i + 1 : turn;
  }
  for (auto i = turn; i < asked.said.size(); ++i) {
    const auto& one = asked.said[i];
    const auto calls = array_of(member(one.value, "tool_calls"));
    if (one.role != "assistant" || !calls || calls->begin() == calls->end()) {
      continue;
    }
    const auto first = object_of(*calls->begin());
    const auto signature = first ? thought_signature(*first) : std::string_view();
    const auto seal = Seal::read(signature);
    if (signature != placeholder && (!seal || seal->backend != asked.backend.id)) {
      Violation found;
      found.index = one.index;
      found.value = first ? text_of(member(*first, "function"), "name") : std::string_view();
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace checks
}  // namespace understudy::testing::strict
