/// Mends the frames of a streamed answer that is forwarded to a client of the same protocol.
///
/// Compatible servers send some frames on which the official client libraries throw, or which the provider itself
/// refuses when they come back. These frames are replaced; all others are forwarded byte for byte.
///
/// Invariants
/// 1. Only these shapes are mended. Messages: a `message_start` without `usage` or `content`, a `message_delta` without
///    `usage`, a thinking block without signature. Chat: two tool calls with one index. Responses: a final `response`
///    whose `output` is empty although items were sent. In addition, seals of reasoning become carriers (carrier.hpp),
///    unless their issuer is the client's home (Request::home).
/// 2. A frame that is not mended is returned as it is, at the cost of a few comparisons.
/// 3. Within a mended frame all other bytes are kept.
/// 4. Messages: the end of a thinking block is held until the next event, since agents do not repeat a request of whose
///    answer a block is complete (CLIProxyAPI#4658).
///
///     const auto mend = codec_for(Protocol::openai_chat).stream_mend(ReasoningOrigin("deepseek", "v4"));
///     std::string out;
///     while (const Event* event = decoder.next()) { out += mend->bytes(*event); }
#pragma once

#include <string>
#include <string_view>

#include "understudy/export.hpp"
#include "understudy/llm/event.hpp"
#include "understudy/llm/reasoning_origin.hpp"

namespace understudy::llm {

/// See the top of the file. Serves one answer. Threads: one at a time.
class UNDERSTUDY_API StreamMend {
 public:
  virtual ~StreamMend() = default;

  /// Returns the bytes to forward for `event`, which must be an event of a stream and given in its order. They are
  /// valid until the next call, and as long as the event's own.
  virtual std::string_view bytes(const Event& event) = 0;

  /// Returns the bytes that are held back, to be forwarded before an event that `bytes` does not get.
  virtual std::string take_held() { return {}; }
};

}  // namespace understudy::llm
