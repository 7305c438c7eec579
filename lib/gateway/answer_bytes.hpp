/// The bytes of an answer's events for a client: the provider's own where the client speaks its protocol, and else ours.
#pragma once

#include <memory>
#include <string>

#include "understudy/client/delivery.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/llm/stream_mend.hpp"

namespace understudy::gateway::detail {

/// See the top of the file. Of an answer that has begun; it and the encoder must outlive this.
class AnswerBytes {
 public:
  AnswerBytes(const Delivery& answer, llm::Protocol client, llm::EventEncoder& encoder)
      : answer_(answer),
        encoder_(encoder),
        same_(answer.protocol() == client && !answer.whole()),
        mend_(llm::codec_for(client).stream_mend(origin_of(answer.report()))) {}

  /// Appends the next event.
  void append(const llm::Event& event, std::string& out) {
    const bool forwarded = same_ && !answer_.resumed();
    if (!forwarded) {
      encoder_.write(event, out);
    } else if (event.changed) {
      encoder_.write_changed(event, out);
    } else {
      out += mend_->bytes(event);
      encoder_.follow(event);  // so that it knows what is open if it has to end the answer
    }
  }

 private:
  static llm::ReasoningOrigin origin_of(const CallReport& report) {
    const auto* const by = report.answer();
    return by == nullptr ? llm::ReasoningOrigin() : llm::ReasoningOrigin(by->member);
  }

  const Delivery& answer_;
  llm::EventEncoder& encoder_;
  bool same_;
  std::unique_ptr<llm::StreamMend> mend_;
};

}  // namespace understudy::gateway::detail
