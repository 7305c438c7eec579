#include "carrier_edits.hpp"

#include <simdjson.h>

#include <new>
#include <utility>

#include "text/json_edit.hpp"
#include "understudy/llm/carrier.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {
namespace {

using simdjson::dom::element;

class CarrierEdits {
 public:
  explicit CarrierEdits(const ReasoningOrigin& to) : to_(to) {}

  /// Messages: thinking in the content of messages. Responses: items of the input.
  text::JsonEdits of(const element& body) {
    simdjson::dom::array list;
    if (body["messages"].get(list) == simdjson::SUCCESS) {
      std::size_t i = 0;
      for (const element message : list) {
        message_at(message, {"messages", i++});
      }
    }
    if (body["input"].get(list) == simdjson::SUCCESS) {
      std::size_t i = 0;
      for (const element item : list) {
        sealed(item, "encrypted_content", {"input", i++});
      }
    }
    return std::move(edits_);
  }

 private:
  void message_at(const element& message, const text::JsonPath& path) {
    simdjson::dom::array content;
    if (message["content"].get(content) != simdjson::SUCCESS) {
      return;
    }
    const auto before = edits_.size();
    std::size_t blocks = 0;
    std::size_t removed = 0;
    for (const element block : content) {
      auto below = path;
      below.emplace_back("content");
      below.emplace_back(blocks++);
      removed += sealed(block, "signature", below) ? 1 : 0;
    }
    if (removed > 0 && removed == blocks) {  // a message without content would be refused
      edits_.erase(edits_.begin() + static_cast<std::ptrdiff_t>(before), edits_.end());
      edits_.push_back(text::JsonEdit::remove(path));
    }
  }

  /// Returns whether the reasoning at `path` is removed.
  bool sealed(const element& reasoning, const char* member, const text::JsonPath& path) {
    std::string_view seal;
    if (reasoning[member].get(seal) != simdjson::SUCCESS || !is_carrier(seal)) {
      return false;
    }
    const auto read = read_carrier(seal);
    const bool unsigned_thinking =
        read.carrier && read.carrier->kind == CarrierKind::unsigned_thinking;
    if (!read.carrier || read.carrier->provider != to_.provider ||
        (!unsigned_thinking && read.carrier->model != to_.model)) {
      edits_.push_back(text::JsonEdit::remove(path));
      return true;
    }
    auto at = path;
    at.emplace_back(member);
    if (unsigned_thinking) {
      edits_.push_back(text::JsonEdit::remove(std::move(at)));
    } else {
      std::string original;
      JsonWriter(original).value(read.carrier->original);
      edits_.push_back(text::JsonEdit::set(std::move(at), std::move(original)));
    }
    return false;
  }

  const ReasoningOrigin& to_;
  text::JsonEdits edits_;
};

}  // namespace

std::optional<std::string> with_carriers_opened(std::string_view body, const ReasoningOrigin& to) {
  if (body.find(R"("us1.)") == std::string_view::npos) {
    return std::nullopt;
  }
  const simdjson::padded_string padded(body);
  simdjson::dom::parser parser;
  element root;
  const auto failure = parser.parse(padded).get(root);
  if (failure == simdjson::MEMALLOC) {
    throw std::bad_alloc();  // says nothing about the body
  }
  if (failure != simdjson::SUCCESS) {
    return std::nullopt;
  }
  const auto edits = CarrierEdits(to).of(root);
  return edits.empty() ? std::nullopt : text::edit_json(body, edits);
}

}  // namespace understudy::llm::detail
