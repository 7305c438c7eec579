#include "opened_carrier.hpp"

#include <utility>

#include "text/json_edit.hpp"
#include "text/json_tree.hpp"
#include "text/parsed_json.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {
namespace {

/// The `type` of a JSON object; empty if the text is not one, or has none.
std::string type_of(std::string_view text) {
  const text::ParsedJson parsed(text);
  std::string_view type;
  if (parsed.root() == nullptr || (*parsed.root())["type"].get(type) != simdjson::SUCCESS) {
    return {};
  }
  return std::string(type);
}

}  // namespace

std::string call_signature_json(const Carrier& carrier) {
  return R"({"google":{"thought_signature":)" + json::quoted(carrier.original) + "}}";
}

std::optional<std::string> anthropic_block(const Carrier& carrier, std::string_view block) {
  switch (carrier.kind) {
    case CarrierKind::signature:
      return text::edit_json(block,
                             {text::JsonEdit::set({"signature"}, json::quoted(carrier.original))});
    case CarrierKind::unsigned_thinking:
      return text::edit_json(block, {text::JsonEdit::remove({"signature"})});
    case CarrierKind::redacted:
      return R"({"type":"redacted_thinking","data":)" + json::quoted(carrier.original) + "}";
    case CarrierKind::thinking:
      return type_of(carrier.original) == "thinking" ? std::optional(carrier.original)
                                                     : std::nullopt;
    case CarrierKind::encrypted:
    case CarrierKind::detail:
    case CarrierKind::call_signature: break;
  }
  return std::nullopt;
}

std::optional<std::string> reasoning_detail(const Carrier& carrier, std::string_view text) {
  if (carrier.kind != CarrierKind::detail) {
    return std::nullopt;
  }
  const auto type = type_of(carrier.original);
  if (type == "reasoning.text" && !text.empty()) {
    return text::edit_json(carrier.original, {text::JsonEdit::set({"text"}, json::quoted(text))});
  }
  return type.starts_with("reasoning.") ? std::optional(carrier.original) : std::nullopt;
}

void open_carrier(ReasoningPart& part) {
  auto read = read_carrier(part.seal);
  ReasoningPart opened{Origin()};
  if (!read.carrier) {
    part = std::move(opened);
    return;
  }
  auto& carrier = *read.carrier;
  opened.text = std::move(part.text);
  std::optional<std::string> json;
  switch (carrier.kind) {
    case CarrierKind::signature:
    case CarrierKind::thinking:
    case CarrierKind::redacted:
      opened.origin = Origin(Protocol::anthropic_messages);
      json = anthropic_block(carrier, part.json);
      break;
    case CarrierKind::encrypted:
      opened.origin = Origin(Protocol::openai_responses);
      json = std::string();
      break;
    case CarrierKind::detail:
      opened.origin = Origin(Protocol::openai_chat);
      if (auto detail = reasoning_detail(carrier, opened.text)) {
        json = "[" + *detail + "]";
      }
      break;
    case CarrierKind::call_signature:
      opened.origin = Origin(Protocol::openai_chat);
      opened.call_signature = call_signature_json(carrier);
      json = std::string();
      break;
    case CarrierKind::unsigned_thinking: json = std::string(); break;
  }
  if (!json) {
    part = ReasoningPart{Origin()};
    return;
  }
  opened.json = std::move(*json);
  if (carrier.kind != CarrierKind::call_signature) {
    opened.seal = std::move(carrier.original);
  }
  opened.origin.provider = std::move(carrier.provider);
  opened.origin.maker = std::move(carrier.maker);
  opened.origin.account = std::move(carrier.account);
  if (carrier.kind != CarrierKind::unsigned_thinking) {
    opened.origin.model = std::move(carrier.model);
  }
  part = std::move(opened);
}

}  // namespace understudy::llm::detail
