/// An answer over HTTP, from its head on: read for an attempt until its first progress, then a Stream's.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "property_names.hpp"
#include "understudy/failover/attempt.hpp"
#include "understudy/llm/classify.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/llm/stream.hpp"
#include "understudy/llm/tool_table.hpp"
#include "understudy/net/http_client.hpp"
#include "understudy/runtime/stall_timer.hpp"

namespace understudy::llm::detail {

/// What classification wants to know of the call, beside the error. Views into the request and member,
/// which may be gone once the stream is in use: so it owns them.
class CallFacts {
 public:
  CallFacts(const Request& request, const Member& asked)
      : member(asked),
        prompt_tokens(estimated_tokens(request)),
        messages(request.messages.size()) {}

  ProviderError error() const {
    auto error = ProviderError()
                     .with_provider(member.provider())
                     .with_model(member.model())
                     .with_prompt(prompt_tokens)
                     .with_messages(messages);
    return member.context_window() ? error.with_context_window(*member.context_window()) : error;
  }

  Member member;
  std::uint64_t prompt_tokens;
  std::uint64_t messages;
};

/// The failure that an error stands for.
Failure failure_of(const ProviderError& error);
Failure failure_of(const NetError& error, const CallFacts& facts);

/// Tells the attempt, and later the stream's own timer, what the connection waits for.
class WireObserver final : public IoObserver {
 public:
  explicit WireObserver(Attempt& attempt, bool whole) noexcept
      : attempt_(&attempt), whole_(whole) {}

  void hand_over(StallTimer& stall) noexcept {
    attempt_ = nullptr;
    stall_ = &stall;
  }

  void enter(Phase phase) override;
  void waiting(const ByteStream* stream) override;
  void heard(std::size_t bytes) override;
  void left() override { stream_ = nullptr; }

  bool ready() const noexcept { return stream_ != nullptr && stream_->readable(); }

 private:
  Attempt* attempt_;
  StallTimer* stall_ = nullptr;
  const ByteStream* stream_ = nullptr;
  bool whole_;
};

/// See the top of the file.
class HttpStream final : public StreamSource {
 public:
  /// `streamed`: the caller reads the answer as a stream. `whole`: the provider is asked for a whole one.
  HttpStream(Attempt& attempt, CallFacts facts, Protocol protocol, bool streamed, bool whole);
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  IoObserver& observer() noexcept { return observer_; }

  /// The request ends with the beginning of the answer: that nothing follows is an answer too.
  void with_prefill() { prefilled_ = true; }
  /// The names that the request's tools were sent with, before the answer is opened. The events name the client's tools.
  void with_tools(ToolTable tools) { tools_ = std::move(tools); }
  void with_origin(ReasoningOrigin origin) { origin_ = std::move(origin); }

  /// Reads until the answer's first progress and takes over from the attempt then.
  asio::awaitable<Result<void>> open(Attempt& attempt, HttpResponse response);

  Protocol protocol() const noexcept override { return protocol_; }
  bool whole() const noexcept override { return whole_; }
  const Event* try_next() override;
  asio::awaitable<Result<bool>> ready() override;
  std::uint64_t undecodable() const noexcept override { return decoder_->undecodable(); }
  bool inferred_finish() const noexcept override { return decoder_->inferred(); }
  const ReasoningOrigin& origin() const noexcept override { return origin_; }
  void ask_takeover(const std::function<Takeover()>& f) override { takeover_ = f; }

 private:
  asio::awaitable<Result<void>> read_opening(Attempt& attempt, BodyShape shape);
  std::optional<Result<void>> look(Attempt& attempt);
  const Event* next();
  const Event* restored(const Event* event);
  const Event* renamed(const Event& event);
  void note_block(const Event& event);
  const Event* explained(const Event& event, const Finish& finish);
  std::string_view kept(std::string_view text);
  bool settled_early();
  bool goes_on();
  void take(const NetResult<std::string_view>& part);
  void take_over(StallLimits limits, BodyShape shape, const asio::any_io_executor& executor);
  void finish(Result<bool> end);
  void out_of_memory();
  static Failure failure_of_loss(const Undecodable& lost);
  Failure in_stream(const Error& error) const;
  Failure silence() const;
  Result<bool> ended(std::optional<NetError> broken);
  asio::awaitable<void> drain();

  CallFacts facts_;
  Protocol protocol_;
  bool streamed_;
  bool whole_;
  bool prefilled_ = false;
  WireObserver observer_;
  std::optional<HttpResponse> response_;
  std::string opening_;      // what came until the first progress, if that took more than one read
  std::vector<Event> seen_;  // what was looked at then, to be seen again; valid until the next read
  std::size_t silent_bytes_ = 0;  // since the last progress
  std::size_t again_ = 0;
  ToolTable tools_;
  ReasoningOrigin origin_;
  // Events of calls with the client's names, and their texts; valid until the next read.
  std::deque<Event> restored_;
  std::deque<std::string> restored_texts_;
  std::map<std::size_t, KeyRenamer> renamers_;  // of open calls whose properties have other names
  std::size_t next_block_ = 0;
  bool spoke_ = false;            // the answer has text
  const Event* after_ = nullptr;  // the event that follows one that was added
  std::optional<EventDecoder> decoder_;
  const Event* peeked_ = nullptr;
  std::optional<Result<bool>> end_;
  std::optional<Cause> expired_;
  std::function<Takeover()> takeover_;
  std::optional<StallTimer> stall_;
  std::size_t said_ = 0;  // bytes of the answer
  bool body_ended_ = false;
  bool finished_ = false;   // Finish was emitted: the answer is complete, whatever follows
  bool finishing_ = false;  // a finish is held that only the end of the stream may follow
};

}  // namespace understudy::llm::detail
