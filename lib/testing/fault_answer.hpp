/// The body of a reply, as the protocol has it, part by part.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "repeated_finish.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/testing/fault_script.hpp"

namespace understudy::testing {

/// The protocol that is spoken at that path.
llm::Protocol protocol_at(std::string_view target) noexcept;

/// One reply's body. The reply and the request must outlive it.
class FaultAnswer {
 public:
  /// `number` of the answer, for its id.
  FaultAnswer(const Reply& reply, const llm::Codec& codec, const llm::Request& asked,
              std::size_t number);

  bool streamed() const noexcept { return encoder_ != nullptr; }
  std::string_view content_type() const noexcept;

  /// How many parts the body has, and the next one of them; it may be empty.
  std::size_t parts() const noexcept {
    return streamed() ? events_.size() : reply_.parts.empty() ? 1 : reply_.parts.size();
  }
  std::string part(std::size_t i);

  /// Before which part a fault of that place strikes; parts(): behind all of them.
  std::size_t place(std::size_t events) const noexcept;
  std::size_t place_of_finish() const noexcept { return parts() - 1; }

  std::string heartbeat();
  std::string error(const Fault& fault);

 private:
  void add(llm::Event::Body body) { events_.back().emplace_back(body); }
  std::string streamed_part(std::size_t i);
  void say(const Reply::Said& said, std::size_t block);
  void call(const Reply::Said& said, std::size_t block);
  void restate(std::string& part) const;

  const Reply& reply_;
  const llm::Codec& codec_;
  llm::Request asked_;  // what is repeated in a whole answer
  std::string id_;
  std::vector<std::vector<llm::Event>> events_;  // those that come together
  std::unique_ptr<llm::EventEncoder> encoder_;   // of a streamed answer
  std::string terminal_;  // its last frame, if it has been encoded and not sent
  std::optional<RepeatedFinish> finishes_;
  std::vector<std::pair<std::string, std::string>>
      restated_;  // arguments: all that is sent, and what is meant
};

}  // namespace understudy::testing
