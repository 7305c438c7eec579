#include "fault_answer.hpp"

#include <algorithm>

#include "understudy/llm/answer.hpp"
#include "understudy/llm/protocol_traits.hpp"

namespace understudy::testing {
namespace {

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

/// Each with the space before it, so that together they are the text.
std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> all;
  while (!text.empty()) {
    const auto end = std::min(text.find(' ', 1), text.size());
    all.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return all;
}

}  // namespace

llm::Protocol protocol_at(std::string_view target) noexcept {
  const auto path = path_of(target);
  const auto* const found =
      std::find_if(llm::protocols.begin(), llm::protocols.end(),
                   [&](llm::Protocol p) { return path.ends_with(llm::traits_of(p).path); });
  return found == llm::protocols.end() ? llm::Protocol::openai_chat : *found;
}

FaultAnswer::FaultAnswer(const Reply& reply, const llm::Codec& codec, const llm::Request& asked,
                         std::size_t number)
    : reply_(reply), codec_(codec), id_(llm::traits_of(codec.protocol()).answer_id_prefix) {
  if (reply.kind != Reply::Kind::answer) {
    return;
  }
  id_ += std::to_string(number);
  llm::Usage usage;
  usage.input = estimated_tokens(asked);
  events_.emplace_back();
  add(llm::Start(id_, asked.model));
  add(usage);
  for (std::size_t block = 0; block < reply.said.size(); ++block) {
    say(reply.said[block], block);
  }
  const bool called = std::any_of(reply.said.begin(), reply.said.end(), [](const auto& said) {
    return said.kind == Reply::Said::Kind::call;
  });
  usage.output = events_.size() - 1;
  events_.emplace_back();
  add(llm::Finish(
      reply.finish.value_or(called ? llm::FinishReason::tool_use : llm::FinishReason::stop), {}));
  add(usage);
  if (llm::traits_of(codec.protocol()).finish_is_end) {
    add(llm::End());
    events_.emplace_back();
  } else {
    events_.emplace_back();
    add(llm::End());
  }
  if (asked.stream) {
    encoder_ = codec.encoder(asked);
  }
}

void FaultAnswer::say(const Reply::Said& said, std::size_t block) {
  using Kind = Reply::Said::Kind;
  if (said.kind == Kind::call) {
    events_.emplace_back();
    add(llm::ToolStart(block, said.id, said.name));
  }
  for (const auto word : words(said.text)) {
    events_.emplace_back();
    switch (said.kind) {
      case Kind::thought: add(llm::Reasoning(block, word)); break;
      case Kind::text: add(llm::Text(block, word)); break;
      case Kind::call: add(llm::ToolArguments(block, word)); break;
    }
  }
  if (said.kind == Kind::call) {
    add(llm::ToolEnd(block, true));
  }
}

std::string_view FaultAnswer::content_type() const noexcept {
  return streamed() ? "text/event-stream; charset=utf-8" : "application/json";
}

std::string FaultAnswer::part(std::size_t i) {
  std::string out;
  if (streamed()) {
    for (const auto& event : events_[i]) {
      encoder_->write(event, out);
    }
    return out;
  }
  switch (reply_.kind) {
    case Reply::Kind::answer: {
      llm::Answer whole;
      for (const auto& together : events_) {
        for (const auto& event : together) {
          whole.add(event);
        }
      }
      codec_.write_answer(whole, out);
      break;
    }
    case Reply::Kind::status:
      codec_.write_error(llm::Error(reply_.error_type, reply_.error_code, reply_.body), reply_.code,
                         out);
      break;
    case Reply::Kind::page: out = reply_.body; break;
  }
  return out;
}

std::size_t FaultAnswer::place(std::size_t events) const noexcept {
  return streamed() ? std::min(events, events_.size()) : 0;
}

std::string FaultAnswer::heartbeat() {
  if (!streamed()) {
    return "\n";
  }
  if (const auto makers = llm::traits_of(codec_.protocol()).heartbeat; !makers.empty()) {
    return std::string(makers);
  }
  std::string out;
  encoder_->write(llm::Event(llm::Heartbeat()), out);
  return out;
}

std::string FaultAnswer::error(const Fault& fault) {
  const llm::Error error(fault.type, fault.code, fault.text);
  std::string out;
  if (streamed()) {
    encoder_->write(llm::Event(error), out);
  } else {
    codec_.write_error(error, 500, out);
  }
  return out;
}

}  // namespace understudy::testing
