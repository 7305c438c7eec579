#include "understudy/llm/carried_seals.hpp"

#include <utility>
#include <variant>

#include "text/json_edit.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/carrier.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm {
namespace {

/// The kind of seal that the client's protocol sends back.
ReasoningSeal::Kind kind_for(Protocol client) {
  return client == Protocol::anthropic_messages ? ReasoningSeal::Kind::signature
                                                : ReasoningSeal::Kind::encrypted;
}

std::string detail_of(ReasoningSeal::Kind kind, std::string_view data, std::string_view id) {
  std::string out;
  JsonWriter json(out);
  const bool signature = kind == ReasoningSeal::Kind::signature;
  json.begin_object().member("type", signature ? "reasoning.text" : "reasoning.encrypted");
  json.member(signature ? "signature" : "data", data);
  if (!id.empty()) {
    json.member("id", id);
  }
  json.end_object();
  return out;
}

std::string thinking_of(std::string_view text, std::string_view signature) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("type", "thinking").member("thinking", text);
  json.member("signature", signature).end_object();
  return out;
}

/// The carrier of a seal that was issued in a protocol, with the text that it belongs to.
std::string carrier_of(Protocol client, Protocol issued, const ReasoningOrigin& by,
                       ReasoningSeal::Kind kind, std::string_view data, std::string_view text,
                       std::string_view id) {
  if (kind == ReasoningSeal::Kind::call) {
    return carrier_text(Carrier(CarrierKind::call_signature, by, data));
  } else if (issued == Protocol::openai_chat) {
    return carrier_text(Carrier(CarrierKind::detail, by, detail_of(kind, data, id)));
  } else if (issued == Protocol::openai_responses) {
    return carrier_text(Carrier(CarrierKind::encrypted, by, data));
  } else if (kind == ReasoningSeal::Kind::redacted) {
    return carrier_text(Carrier(CarrierKind::redacted, by, data));
  } else if (client == Protocol::anthropic_messages) {
    return carrier_text(Carrier(CarrierKind::signature, by, data));
  }
  return carrier_text(Carrier(CarrierKind::thinking, by, thinking_of(text, data)));
}

/// Clients of Responses send reasoning back only if they have asked for its encrypted content.
bool wants_carriers(const Request& asked) {
  return asked.origin != Protocol::openai_responses ||
         text::json_at(asked.body, {"include"}).find("\"reasoning.encrypted_content\"") !=
             std::string_view::npos;
}

/// Whether the event is of another block than the one that is open.
bool leaves(const Event& next, std::size_t open) {
  if (const auto* const more = std::get_if<Reasoning>(&next.body)) {
    return more->block != open;
  }
  if (const auto* const seal = std::get_if<ReasoningSeal>(&next.body)) {
    return seal->block != open;
  }
  return std::holds_alternative<Text>(next.body) || std::holds_alternative<ToolStart>(next.body) ||
         std::holds_alternative<Finish>(next.body);
}

}  // namespace

CarriedSeals::CarriedSeals(const Request& asked, bool carry)
    : client_(asked.origin.value_or(Protocol::openai_chat)),
      wanted_(wants_carriers(asked)),
      carry_(carry) {}

const Event* CarriedSeals::from(const ReasoningOrigin& by, Protocol protocol) {
  const auto* const seal = open_ ? unsigned_seal() : nullptr;
  by_ = by;
  spoken_ = protocol;
  return seal;
}

const Event* CarriedSeals::missing(const Event& next) {
  return open_ && leaves(next, *open_) ? unsigned_seal() : nullptr;
}

/// Of the open reasoning, which is closed by it.
const Event* CarriedSeals::unsigned_seal() {
  const auto block = *std::exchange(open_, std::nullopt);
  if (!wanted_ || client_ == Protocol::openai_chat) {
    return nullptr;
  }
  seal_ = carrier_text(Carrier(CarrierKind::unsigned_thinking, open_by_, {}));
  event_.emplace(ReasoningSeal(block, kind_for(client_), seal_));
  return &*event_;
}

void CarriedSeals::follow(const Event& event) {
  const auto* const other = std::get_if<Other>(&event.body);
  if ((other != nullptr && other->type == "content_block_stop") ||
      (open_ && leaves(event, *open_))) {
    open_.reset();
  }
  note(event);
}

/// Notes what is open after the event.
void CarriedSeals::note(const Event& event) {
  if (std::holds_alternative<Start>(event.body) || std::holds_alternative<Retract>(event.body)) {
    open_.reset();
  } else if (const auto* const reasoning = std::get_if<Reasoning>(&event.body)) {
    if (open_ != reasoning->block && !reasoning->text.empty()) {
      open_ = reasoning->block;
      open_by_ = by_;
      text_.clear();
    }
    if (client_ != Protocol::anthropic_messages && text_.size() <= longest_original) {
      text_ += reasoning->text;
    }
  } else if (const auto* const seal = std::get_if<ReasoningSeal>(&event.body);
             seal != nullptr && !seal->data.empty()) {
    if (open_ == seal->block) {
      open_.reset();
    } else {
      text_.clear();
    }
  }
}

const Event* CarriedSeals::carried(const Event& event) {
  note(event);
  const bool reasoning = std::holds_alternative<Reasoning>(event.body);
  const auto* const seal = std::get_if<ReasoningSeal>(&event.body);
  // Our encoders have no place for the signature of a call but a carrier.
  const bool as_it_is = by_.home && spoken_ == client_ &&
                        (seal == nullptr || seal->kind != ReasoningSeal::Kind::call);
  if ((!reasoning && seal == nullptr) || as_it_is) {
    return &event;
  }
  if (!carry_) {
    open_.reset();
    return nullptr;
  }
  if (reasoning) {
    return &event;
  }
  if (!wanted_ || seal->data.empty()) {  // DeepSeek's Messages form sends empty signatures
    return nullptr;
  }
  seal_ = carrier_of(client_, spoken_, by_, seal->kind, seal->data, text_, seal->id);
  event_.emplace(ReasoningSeal(seal->block, kind_for(client_), seal_, seal->id));
  return &*event_;
}

void carry_seals(std::string& json, Protocol protocol, const ReasoningOrigin& by) {
  if (protocol == Protocol::openai_chat) {
    return;
  }
  const bool messages = protocol == Protocol::anthropic_messages;
  const std::string list = messages ? "content" : "output";
  text::JsonEdits edits;
  std::size_t index = 0;
  for (const auto part : text::json_elements(text::json_at(json, {list}), SIZE_MAX)) {
    const auto text_at = [&](const char* member) {
      return json::unescaped_text(text::json_at(part, {member}));
    };
    const auto type = text_at("type");
    const text::JsonPath at{list, index++};
    const bool redacted = messages && type == "redacted_thinking";
    if (!redacted && type != (messages ? "thinking" : "reasoning")) {
      continue;
    }
    const std::string member = messages ? "signature" : "encrypted_content";
    const auto seal = text_at(redacted ? "data" : member.c_str());
    if (seal.empty() ? !messages : by.home) {
      continue;
    }
    const auto kind = seal.empty() ? CarrierKind::unsigned_thinking
                      : redacted   ? CarrierKind::redacted
                      : messages   ? CarrierKind::signature
                                   : CarrierKind::encrypted;
    const auto value = json::quoted(carrier_text(Carrier(kind, by, seal)));
    if (redacted) {
      edits.push_back(text::JsonEdit::set(
          at, R"({"type":"thinking","thinking":"","signature":)" + value + "}"));
    } else {
      auto path = at;
      path.emplace_back(member);
      edits.push_back(text::JsonEdit::set(std::move(path), value));
    }
  }
  if (auto edited = edits.empty() ? std::nullopt : text::edit_json(json, edits)) {
    json = std::move(*edited);
  }
}

void carry_seals(Answer& answer, const Request& asked, bool carry) {
  const auto client = asked.origin.value_or(Protocol::openai_chat);
  const auto& by = answer.origin;
  const bool wanted = wants_carriers(asked);
  const bool home = by.home && answer.protocol == client;
  if (!carry && !home) {
    std::erase_if(answer.blocks, [](const AnswerBlock& block) {
      return block.kind == AnswerBlock::Kind::reasoning;
    });
  }
  for (auto& block : answer.blocks) {
    const bool as_it_is = home && block.seal_kind && *block.seal_kind != ReasoningSeal::Kind::call;
    if (block.kind != AnswerBlock::Kind::reasoning || as_it_is) {
      continue;
    }
    const bool sealed = block.seal_kind && !block.seal.empty();
    if (!wanted || (!sealed && (client == Protocol::openai_chat || block.text.empty()))) {
      block.seal_kind.reset();
      block.seal.clear();
      continue;
    }
    block.seal = sealed ? carrier_of(client, answer.protocol, by, *block.seal_kind, block.seal,
                                     block.text, block.id)
                        : carrier_text(Carrier(CarrierKind::unsigned_thinking, by, {}));
    block.seal_kind = kind_for(client);
  }
}

}  // namespace understudy::llm
