/// Mends the frames of a streamed answer that is forwarded to a client of the same protocol.
///
/// Compatible servers send some frames on which the official client libraries throw, or which the provider itself
/// refuses when they come back. These frames are replaced; all others are forwarded byte for byte.
///
/// Invariants
/// 1. Only these shapes are mended. Messages: a `message_start` without `usage` or `content`, a `message_delta` without
///    `usage`, a thinking block without signature. Chat: two tool calls with one index. Responses: a final `response`
///    whose `output` is empty although items were sent.
/// 2. A frame that is not mended is returned as it is, at the cost of a few comparisons.
/// 3. Within a mended frame all other bytes are kept.
///
///     const auto mend = codec_for(Protocol::openai_chat).stream_mend(ReasoningOrigin("deepseek", "v4"));
///     std::string out;
///     while (const Event* event = decoder.next()) { out += mend->bytes(*event); }
#pragma once

#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/failover/member.hpp"
#include "understudy/llm/event.hpp"

namespace understudy::llm {

/// Where an answer is from, as carriers state it (carrier.hpp).
class ReasoningOrigin {
 public:
  ReasoningOrigin() {}
  ReasoningOrigin(std::string p, std::string m) : provider(std::move(p)), model(std::move(m)) {}
  explicit ReasoningOrigin(const Member& by) : provider(by.provider()), model(by.model()) {}

  std::string provider;
  std::string model;
};

/// See the top of the file. Serves one answer. Threads: one at a time.
class UNDERSTUDY_API StreamMend {
 public:
  virtual ~StreamMend() = default;

  /// Returns the bytes to forward for `event`, which must be an event of a stream and given in its order. They are
  /// valid until the next call, and as long as the event's own.
  virtual std::string_view bytes(const Event& event) = 0;
};

}  // namespace understudy::llm
