#include "testing/strict/seal.hpp"

#include <algorithm>
#include <array>

#include "testing/strict/asked.hpp"
#include "text/keyed_hash.hpp"

namespace understudy::testing::strict {
namespace {

constexpr std::size_t longest_seal = 1024;
constexpr std::size_t check_size = 8;  // digits of an id's checksum

std::string hexadecimal(std::uint64_t number, std::size_t size) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out(size, '0');
  for (auto at = size; at > 0; number >>= 4U) {
    out[--at] = digits[number & 0xfU];
  }
  return out;
}

std::string check_of_id(std::string_view id) { return digest(id).substr(0, check_size); }

/// Whether an id ends in the checksum of what precedes it.
bool is_own_id(std::string_view id, std::size_t size) {
  return id.size() == size &&
         check_of_id(id.substr(0, size - check_size)) == id.substr(size - check_size);
}

/// Members that differ between what an answer contained and what comes back, or from turn to turn.
bool is_volatile(std::string_view name) {
  constexpr std::array<std::string_view, 8> names = {
      "cache_control", "caller",      "citations", "status",
      "phase",         "annotations", "logprobs",  "internal_chat_message_metadata_passthrough"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

void append_canonical(std::string& out, Json value);

void append_canonical(std::string& out, JsonObject object, std::string_view without) {
  std::vector<std::pair<std::string_view, Json>> members;
  for (const auto field : object) {
    if (!is_volatile(field.key) && field.key != without) {
      members.emplace_back(field.key, field.value);
    }
  }
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  out += '{';
  for (const auto& [name, inner] : members) {
    out.append(name).append(":");
    append_canonical(out, inner);
  }
  out += '}';
}

void append_canonical(std::string& out, Json value) {
  if (const auto object = object_of(value)) {
    append_canonical(out, *object, {});
  } else if (const auto array = array_of(value)) {
    out += '[';
    for (const Json element : *array) {
      append_canonical(out, element);
    }
    out += ']';
  } else if (const auto text = string_of(value)) {
    out.append(std::to_string(text->size())).append("\"").append(*text);
  } else if (const auto number = number_of(value)) {
    out.append(shown(*number)).append(" ");
  } else {
    out.append(minified(value)).append(" ");
  }
}

/// A chain of digests.
class Chain {
 public:
  void add(std::string_view text) { state_ = digest(state_ + std::string(text)); }
  void add(JsonObject object, std::string_view without = {}) {
    std::string text;
    append_canonical(text, object, without);
    add(text);
  }
  /// A list of blocks, or the text that stands for one block.
  void add_content(std::optional<Json> content) {
    if (const auto text = string_of(content)) {
      add_text(*text);
    } else if (const auto list = array_of(content)) {
      for (const Json block : *list) {
        if (const auto inner = string_of(member(block, "text"))) {
          add_text(*inner);
        } else if (const auto object = object_of(block)) {
          add(*object);
        }
      }
    }
  }
  const std::string& state() const { return state_; }

 private:
  void add_text(std::string_view text) {
    if (!text.starts_with("x-anthropic-billing-header")) {
      add("text " + std::string(text));
    }
  }

  std::string state_;
};

}  // namespace

std::string digest(std::string_view text) {
  constexpr text::KeyedHash hash(0x756e6465727374U, 0x75647920736561U);
  return hexadecimal(hash(text.empty() ? "" : text), 16);  // not a null pointer
}

std::string Seal::write() const {
  auto out = "sig_" + backend;
  for (const auto* part : {&model, &account, &prefix, &text}) {
    out += '~';
    std::copy_if(part->begin(), part->end(), std::back_inserter(out),
                 [](char c) { return c != '~'; });
  }
  return out + "~" + digest(out);
}

std::optional<Seal> Seal::read(std::string_view seal) {
  if (seal.size() > longest_seal || !seal.starts_with("sig_")) {
    return std::nullopt;
  }
  const auto check = seal.rfind('~');
  if (check == std::string_view::npos || digest(seal.substr(0, check)) != seal.substr(check + 1)) {
    return std::nullopt;
  }
  Seal read;
  auto rest = seal.substr(4, check - 4);
  for (auto* part : {&read.backend, &read.model, &read.account, &read.prefix, &read.text}) {
    const auto one = rest.substr(0, rest.find('~'));
    *part = one;
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
  }
  return read;
}

Prefixes prefixes_of(const Asked& asked) {
  const bool items = asked.backend.form == Form::responses;
  Chain chain;
  chain.add_content(member(asked.body, items ? "instructions" : "system"));
  chain.add("tools");
  each_object(member(asked.body, "tools"), [&](JsonObject tool) { chain.add(tool); });
  Prefixes found;
  std::string turn;  // what precedes the answer that the message is part of
  bool by_model = false;
  std::string_view role;
  for (const auto& one : asked.said) {
    if (items ? one.by_model != by_model : one.role != role) {
      chain.add(one.by_model ? "answer" : one.role);
      turn = chain.state();
    }
    by_model = one.by_model;
    role = one.role;
    found.of.push_back(one.by_model ? turn : std::string());
    if (items && one.type != "message") {
      chain.add(one.value, "id");
    } else {
      if (items) {
        chain.add(one.role);
      }
      chain.add_content(member(one.value, "content"));
    }
  }
  if (!by_model) {
    chain.add("answer");
    turn = chain.state();
  }
  found.next = turn;
  return found;
}

std::string call_id(std::string_view prefix, std::string_view backend, std::string_view reasoning,
                    std::uint64_t number) {
  const auto id = std::string(prefix) + digest(reasoning) + digest(backend).substr(0, 4) +
                  hexadecimal(number, 4);
  return id + check_of_id(id);
}

std::optional<std::string> reasoning_digest(std::string_view call_id, std::string_view backend) {
  constexpr std::string_view prefix = "call_";
  if (!call_id.starts_with(prefix) || !is_own_id(call_id, prefix.size() + 32)) {
    return std::nullopt;
  }
  if (call_id.substr(prefix.size() + 16, 4) != digest(backend).substr(0, 4)) {
    return std::nullopt;
  }
  return std::string(call_id.substr(prefix.size(), 16));
}

std::string item_id(std::string_view prefix, bool stored, std::uint64_t number) {
  const auto id = std::string(prefix) + "_" + (stored ? "5" : "0") + hexadecimal(number, 16);
  return id + check_of_id(id);
}

bool is_stored_item(std::string_view id) {
  const auto at = id.find('_');
  return at != std::string_view::npos && is_own_id(id, at + 1 + 17 + check_size) &&
         id[at + 1] == '5';
}

}  // namespace understudy::testing::strict
