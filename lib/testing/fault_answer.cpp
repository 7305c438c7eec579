#include "fault_answer.hpp"

#include <algorithm>
#include <utility>

#include "understudy/llm/answer.hpp"
#include "understudy/llm/protocol_traits.hpp"
#include "understudy/text/json_writer.hpp"
#include "words.hpp"

namespace understudy::testing {
namespace {

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

/// The pieces of a call's arguments; those together that nothing may come between: `{}` alone is a whole call.
std::vector<std::vector<std::string_view>> pieces_of(std::string_view arguments,
                                                     Reply::Arguments how) {
  std::vector<std::vector<std::string_view>> pieces;
  std::size_t sent = 0;
  for (const auto word : spaced_words(arguments)) {
    sent += word.size();
    pieces.push_back({how == Reply::Arguments::cumulative ? arguments.substr(0, sent) : word});
  }
  if (pieces.empty()) {
    return pieces;
  }
  switch (how) {
    case Reply::Arguments::once:
    case Reply::Arguments::cumulative: break;
    case Reply::Arguments::whole_again: pieces.push_back({arguments}); break;
    case Reply::Arguments::pieces_again: {
      const auto first = pieces;
      pieces.insert(pieces.end(), first.begin(), first.end());
      break;
    }
    case Reply::Arguments::empty_first: pieces[0].insert(pieces[0].begin(), "{}"); break;
  }
  return pieces;
}

/// As a member of an item.
std::string arguments_member(std::string_view arguments) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("arguments", arguments).end_object();
  return out.substr(1, out.size() - 2);
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
    : reply_(reply),
      codec_(codec),
      asked_(asked.model),
      id_(llm::traits_of(codec.protocol()).answer_id_prefix) {
  asked_.origin = asked.origin;
  asked_.body = asked.body;
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
    finishes_.emplace(reply, codec.protocol(), id_, asked.model, called);
  }
}

void FaultAnswer::say(const Reply::Said& said, std::size_t block) {
  using Kind = Reply::Said::Kind;
  if (said.kind == Kind::call) {
    call(said, block);
    return;
  }
  for (const auto word : spaced_words(said.text)) {
    events_.emplace_back();
    said.kind == Kind::thought ? add(llm::Reasoning(block, word)) : add(llm::Text(block, word));
  }
}

void FaultAnswer::call(const Reply::Said& said, std::size_t block) {
  events_.emplace_back();
  add(llm::ToolStart(block, said.id, said.name));
  std::string sent;
  for (const auto& together : pieces_of(said.text, reply_.resent)) {
    events_.emplace_back();
    for (const auto piece : together) {
      add(llm::ToolArguments(block, piece));
      sent += piece;
    }
  }
  const bool resent = sent != said.text;
  add(llm::ToolEnd(block, true, resent ? std::string_view(said.text) : std::string_view()));
  if (resent) {
    restated_.emplace_back(arguments_member(sent), arguments_member(said.text));
  }
}

std::string_view FaultAnswer::content_type() const noexcept {
  return streamed() ? "text/event-stream; charset=utf-8" : "application/json";
}

std::string FaultAnswer::part(std::size_t i) {
  std::string out;
  if (streamed()) {
    return streamed_part(i);
  }
  switch (reply_.kind) {
    case Reply::Kind::answer: {
      llm::Answer whole;
      for (const auto& together : events_) {
        for (const auto& event : together) {
          whole.add(event);
        }
      }
      codec_.write_answer(whole, asked_, out);
      break;
    }
    case Reply::Kind::status:
      codec_.write_error(llm::Error(reply_.error_type, reply_.error_code, reply_.body), reply_.code,
                         out);
      break;
    case Reply::Kind::page: out = reply_.parts.empty() ? reply_.body : reply_.parts[i]; break;
  }
  return out;
}

/// Encoders write the finish when the end is certain, and a fault may strike between the two.
std::string FaultAnswer::streamed_part(std::size_t i) {
  const bool finish_is_end = llm::traits_of(codec_.protocol()).finish_is_end;
  if (!finish_is_end && i + 1 == events_.size()) {
    return std::exchange(terminal_, {});
  }
  std::string out;
  const auto write = [&](const std::vector<llm::Event>& events) {
    for (const auto& event : events) {
      encoder_->write(event, out);
    }
  };
  write(events_[i]);
  restate(out);
  if (i > 0 && i + 2 < events_.size()) {
    finishes_->in_content(i, out);
  }
  if (!finish_is_end && i + 2 == events_.size()) {
    write(events_.back());
    const auto last = out.rfind("\n\n", out.size() - 3) + 2;
    terminal_ = out.substr(last);
    out.resize(last);
  }
  if (i + 2 == events_.size()) {
    finishes_->at_end(out);
  }
  return out;
}

/// Encoders state what was sent, where a protocol states the arguments once more.
void FaultAnswer::restate(std::string& part) const {
  for (const auto& [sent, meant] : restated_) {
    for (auto at = part.find(sent); at != std::string::npos; at = part.find(sent, at)) {
      part.replace(at, sent.size(), meant);
    }
  }
}

std::size_t FaultAnswer::place(std::size_t events) const noexcept {
  return std::min(events, streamed() ? events_.size() : reply_.parts.size());
}

std::string FaultAnswer::heartbeat() {
  if (!streamed()) {
    return reply_.parts.empty() ? "\n" : ": keep-alive\n\n";
  }
  if (const auto makers = llm::traits_of(codec_.protocol()).heartbeat; !makers.empty()) {
    return std::string(makers);
  }
  std::string out;
  encoder_->write(llm::Event(llm::Heartbeat()), out);
  return out.empty() ? ": keep-alive\n\n" : out;
}

std::string FaultAnswer::error(const Fault& fault) {
  const llm::Error error(fault.type, fault.code, fault.text);
  std::string out;
  if (streamed()) {
    if (!terminal_.empty()) {  // after its end an encoder writes nothing
      encoder_ = codec_.encoder(asked_);
    }
    encoder_->write(llm::Event(error), out);
  } else {
    codec_.write_error(error, 500, out);
  }
  return out;
}

}  // namespace understudy::testing
