/// The bytes of an answer's events for a client: the provider's own where the client speaks its protocol, and else ours.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "understudy/client/delivery.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/llm/stream_mend.hpp"

namespace understudy::gateway::detail {

/// See the top of the file. Of an answer that has begun; it and the encoder must outlive this.
class AnswerBytes {
 public:
  /// `seals`: of the client's request.
  AnswerBytes(const Delivery& answer, llm::Protocol client, llm::CarriedSeals seals,
              llm::EventEncoder& encoder)
      : answer_(answer),
        encoder_(encoder),
        client_(client),
        seals_(std::move(seals)),
        same_(answer.protocol() == client_ && !answer.whole() &&
              (seals_.carries() || origin().home)),
        mend_(llm::codec_for(client_).stream_mend(origin())) {
    seals_.from(origin(), answer.protocol());
  }

  /// Appends the next event.
  void append(const llm::Event& event, std::string& out) {
    const bool forwarded = same_ && !answer_.resumed();
    if (forwarded && !event.changed) {
      out += mend_->bytes(event);
      seals_.follow(event);    // so that it knows what is open if another member resumes the answer
      encoder_.follow(event);  // likewise
      return;
    }
    if (same_) {
      out += mend_->take_held();
    }
    if (std::holds_alternative<llm::Heartbeat>(event.body)) {
      return;  // the gateway sends its own where nothing else is sent, in a form that the client's protocol has
    }
    if (resumed_ != answer_.resumed()) {
      resumed_ = true;
      write_seal(seals_.from(origin(), answer_.protocol()), out);
    }
    write_seal(seals_.missing(event), out);
    const auto* const carried = seals_.carried(event);
    if (carried != nullptr) {
      event.changed&& forwarded ? encoder_.write_changed(*carried, out)
                                : encoder_.write(*carried, out);
    }
  }

 private:
  void write_seal(const llm::Event* seal, std::string& out) {
    if (seal != nullptr) {
      encoder_.write(*seal, out);
    }
  }

  llm::ReasoningOrigin origin() const {
    const auto* const by = answer_.report().answer();
    return by == nullptr
               ? answer_.origin()
               : llm::answer_origin(answer_.origin(), by->member, answer_.protocol() == client_);
  }

  const Delivery& answer_;
  llm::EventEncoder& encoder_;
  llm::Protocol client_;
  llm::CarriedSeals seals_;
  bool same_;
  std::unique_ptr<llm::StreamMend> mend_;
  bool resumed_ = false;
};

}  // namespace understudy::gateway::detail
