#include "http_stream.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "understudy/runtime/detail/alarm.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy::llm::detail {
namespace {

using namespace std::chrono_literals;

/// A stream that has said nothing in events of so many bytes will not: heartbeats are some 30 bytes each. The event that
/// is being read does not count: it has a limit of its own.
constexpr std::size_t longest_opening = std::size_t{1024} * 1024;
/// A flood of heartbeats can keep this thread from ever looking at its timers. One event may be that large.
constexpr std::size_t longest_silence = sse_longest_block + longest_opening;
/// For how long, and how much, an answer's connection is read on to be used again (protocols.md 7).
constexpr Clock::duration longest_drain = 250ms;
constexpr std::size_t most_drained = std::size_t{16} * 1024;
constexpr std::size_t readable_beyond = 64;  // HttpResponse::read

/// failover.md 1.4: what our own connection, the peer's certificate or its HTTP is at fault for.
FailoverReason reason_of_fault(NetFault fault) {
  switch (fault) {
    case NetFault::invalid_url:
    case NetFault::invalid_request: return FailoverReason::format_error;
    case NetFault::no_address:
    case NetFault::resolver_busy:
    case NetFault::proxy:
    case NetFault::tls:
    case NetFault::truncated:
    case NetFault::too_slow: return FailoverReason::connection;
    case NetFault::stale_connection: return FailoverReason::stale_connection;
    case NetFault::tls_setup:
    case NetFault::certificate: return FailoverReason::ssl_cert_verification;
    case NetFault::redirect:
    case NetFault::content_encoding:
    case NetFault::transfer_encoding:
    case NetFault::malformed:
    case NetFault::header_too_large:
    case NetFault::body_too_large:
    case NetFault::too_many_interim:
    case NetFault::undecodable: return FailoverReason::malformed_response;
  }
  return FailoverReason::unknown;
}

bool is_json(const HttpResponse& response) {
  const auto type = response.headers().find("content-type").value_or("");
  return type.find("json") != std::string_view::npos;
}

bool is_html(const HttpResponse& response) {
  const auto type = response.headers().find("content-type").value_or("");
  return type.starts_with("text/html");
}

/// Whether no line of a body is of an event stream: a sentence, or a page.
bool is_no_event_stream(std::string_view body) {
  bool any = false;
  while (!body.empty()) {
    const auto line = body.substr(0, body.find_first_of("\r\n"));
    body.remove_prefix(std::min(line.size() + 1, body.size()));
    for (const std::string_view field : {":", "data", "event", "error", "id:", "retry:"}) {
      if (line.starts_with(field)) {
        return false;
      }
    }
    any = any || !line.empty();
  }
  return any;
}

/// What an event adds to what is kept of an answer.
std::size_t said_by(const Event& event) noexcept {
  if (const auto* text = std::get_if<Text>(&event.body)) {
    return text->text.size();
  }
  if (const auto* arguments = std::get_if<ToolArguments>(&event.body)) {
    return arguments->json.size();
  }
  const auto* const reasoning = std::get_if<Reasoning>(&event.body);
  return reasoning != nullptr ? reasoning->text.size() : 0;
}

/// Whether the answer is a refusal.
bool refuses(const Event& event) {
  if (const auto* const text = std::get_if<Text>(&event.body)) {
    return text->refusal && !text->text.empty();
  }
  const auto* const finish = std::get_if<Finish>(&event.body);
  return finish != nullptr && finish->reason == FinishReason::refusal;
}

/// What is said of a refusal without a word, in protocols whose refusals have no place for details.
constexpr std::string_view silent_refusal = "The model declined to answer this request.";

/// An answer that says nothing but why it ended is one only where that is a reason to say nothing.
std::optional<FailoverReason> fault_of_silence(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
    case FinishReason::tool_use:
    case FinishReason::other: return FailoverReason::incomplete_response;
    case FinishReason::stop_sequence:
    case FinishReason::length:
    case FinishReason::pause:
    case FinishReason::refusal:  // an answer (protocols.md 9.3)
    case FinishReason::context_full: break;
  }
  return std::nullopt;
}

}  // namespace

Failure failure_of(const ProviderError& error) {
  const auto meant = classify(error);
  return Failure(meant.reason, meant.message).with_retry_after(meant.retry_after);
}

Failure failure_of(const NetError& error, const CallFacts& facts) {
  if (error.code == asio::error::operation_aborted) {
    return error.code;  // who has stopped it knows why
  }
  const auto text = to_string(error);
  if (const auto local = local_fault_of(error.code)) {
    return {*local, text};
  }
  if (error.code.category() == net_category()) {
    return {reason_of_fault(static_cast<NetFault>(error.code.value())), text};
  }
  return failure_of(facts.error().with_transport(error.code).with_message(text));
}

void WireObserver::enter(Phase phase) {
  if (attempt_ != nullptr) {
    attempt_->enter(whole_ && phase == Phase::first_progress ? Phase::whole_answer : phase);
  } else {
    stall_->enter(phase);
  }
}

void WireObserver::waiting(const ByteStream* stream) {
  stream_ = stream;
  if (attempt_ != nullptr) {
    attempt_->waiting();
  } else {
    stall_->waiting();
  }
}

void WireObserver::heard(std::size_t bytes) {
  if (attempt_ != nullptr) {
    attempt_->heard(bytes);
  } else {
    stall_->heard(bytes);
  }
}

HttpStream::HttpStream(Attempt& attempt, CallFacts facts, Protocol protocol, bool streamed,
                       bool whole)
    : facts_(std::move(facts)),
      protocol_(protocol),
      streamed_(streamed),
      whole_(whole),
      observer_(attempt, whole) {
  attempt.ready_by([this] { return observer_.ready(); });
}

asio::awaitable<Result<void>> HttpStream::open(Attempt& attempt, HttpResponse response) {
  response_.emplace(std::move(response));
  if (is_html(*response_)) {
    co_return Failure(FailoverReason::malformed_response, "the response is an HTML page");
  }
  // A server may answer whole though a stream was asked for, with an error for instance.
  if (!whole_ && is_json(*response_)) {
    attempt.enter(Phase::whole_answer);
    whole_ = true;
  }
  const auto shape = whole_ ? BodyShape::whole : BodyShape::stream;
  auto opened = co_await read_opening(attempt, shape);
  if (opened) {
    attempt.paused();
    take_over(attempt.limits(), shape, co_await asio::this_coro::executor);
  }
  co_return opened;
}

asio::awaitable<Result<void>> HttpStream::read_opening(Attempt& attempt, BodyShape shape) {
  decoder_.emplace(protocol_, shape);
  std::size_t size = 0;
  while (true) {
    const auto part = co_await response_->read();
    if (part.has_error()) {
      co_return failure_of(part.error(), facts_);
    }
    seen_.clear();
    if (part->empty()) {
      body_ended_ = true;
      decoder_->end();
    } else {
      size += part->size();
      const auto bound = sse_longest_block + (whole_ ? 0 : longest_opening);
      if (size > bound || silent_bytes_ > longest_opening) {
        co_return Failure(FailoverReason::malformed_response,
                          "no content within " +
                              std::to_string(size > bound ? bound : longest_opening) + " bytes");
      }
      decoder_->feed(*part, readable_beyond);
    }
    auto settled = look(attempt);
    if (decoder_->undecodable() > 0) {
      attempt.flawed(decoder_->undecodable(), false);
    }
    if (!whole_ && (!settled || !opening_.empty())) {
      opening_ += *part;  // this read's events are gone with the next
    }
    if (settled) {
      co_return std::move(*settled);
    }
    if (decoder_->error()) {
      co_return Failure(FailoverReason::malformed_response, decoder_->error().message());
    }
    if (body_ended_) {
      co_return silence();
    }
  }
}

/// The failure of an answer that ended before its content. Some proxies send a sentence as an event stream.
Failure HttpStream::silence() const {
  if (!is_no_event_stream(opening_)) {
    return Failure(FailoverReason::malformed_response, "the answer ended without content");
  }
  const auto meant = classify(facts_.error().with_status(200).with_body(opening_));
  const bool unknown = meant.reason == FailoverReason::unknown;
  return Failure(unknown ? FailoverReason::malformed_response : meant.reason,
                 "the response is not an event stream: " + meant.message)
      .with_retry_after(meant.retry_after);
}

/// Whether the answer has begun, or failed, by what has come.
std::optional<Result<void>> HttpStream::look(Attempt& attempt) {
  while (const Event* event = decoder_->next()) {
    seen_.push_back(*event);
    silent_bytes_ += event->raw.size();
    if (const auto* error = std::get_if<Error>(&event->body)) {
      return Result<void>(in_stream(*error));
    }
    if (const auto* lost = std::get_if<Undecodable>(&event->body)) {
      return Result<void>(failure_of_loss(*lost));
    }
    if (refuses(*event) && attempt.moves_on_refused()) {
      return Result<void>(Failure(FailoverReason::content_policy_blocked, "the model refused"));
    }
    if (const auto* usage = std::get_if<Usage>(&event->body)) {
      attempt.spent(usage->output.value_or(0));
    }
    if (const auto* start = std::get_if<Start>(&event->body)) {
      attempt.ignored(start->reasoning_dropped);
    }
    if (std::holds_alternative<Heartbeat>(event->body)) {
      attempt.heartbeat();
    } else if (const auto* finish = std::get_if<Finish>(&event->body)) {
      const auto fault = fault_of_silence(finish->reason);
      if (fault && !(prefilled_ && finish->reason == FinishReason::stop)) {
        return Result<void>(Failure(*fault, "the answer ended without content"));
      }
      return Result<void>();
    } else if (is_progress(*event)) {
      attempt.progressed();
      return Result<void>();
    }
  }
  return std::nullopt;
}

/// From here on the stream has a timer of its own: the attempt's ends with the attempt.
void HttpStream::take_over(StallLimits limits, BodyShape shape,
                           const asio::any_io_executor& executor) {
  limits.share = Limit();
  auto hooks = StallHooks()
                   .on_expired([this](const Cause& cause) {
                     expired_ = cause;
                     response_->abort();
                   })
                   .with_ready([this] { return observer_.ready(); })
                   .with_takeover([this] { return takeover_ ? takeover_() : Takeover::yes(); });
  stall_.emplace(executor, limits, std::move(hooks));
  observer_.hand_over(*stall_);
  stall_->enter(whole_ ? Phase::whole_answer : Phase::progress);
  if (!opening_.empty()) {  // it took more than one read
    decoder_.emplace(protocol_, shape);
    decoder_->feed(opening_);
    if (body_ended_) {
      decoder_->end();
    }
    seen_.clear();
  }
}

const Event* HttpStream::next() {
  try {
    if (after_ != nullptr) {
      return std::exchange(after_, nullptr);
    }
    return restored(again_ < seen_.size() ? &seen_[again_++] : decoder_->next());
  } catch (const std::bad_alloc&) {
    out_of_memory();
    return nullptr;
  }
}

const Event* HttpStream::restored(const Event* event) {
  if (event == nullptr) {
    return event;
  }
  note_block(*event);
  if (const auto* const finish = std::get_if<Finish>(&event->body)) {
    return explained(*event, *finish);
  }
  if (tools_.empty()) {
    return event;
  }
  if (const auto* const start = std::get_if<ToolStart>(&event->body)) {
    Event copy = *event;
    const auto* const tool = tools_.find(start->name);
    if (tool != nullptr && tool->properties) {
      renamers_.insert_or_assign(start->block,
                                 KeyRenamer(tool->properties, KeyRenamer::Direction::to_client));
    }
    return tools_.restore(copy) ? &restored_.emplace_back(copy) : event;
  }
  return renamers_.empty() ? event : renamed(*event);
}

void HttpStream::note_block(const Event& event) {
  const auto note = [&](std::size_t block) { next_block_ = std::max(next_block_, block + 1); };
  if (const auto* const text = std::get_if<Text>(&event.body)) {
    note(text->block);
    spoke_ = spoke_ || !text->text.empty();
  } else if (const auto* const reasoning = std::get_if<Reasoning>(&event.body)) {
    note(reasoning->block);
  } else if (const auto* const call = std::get_if<ToolStart>(&event.body)) {
    note(call->block);
  } else if (const auto* const seal = std::get_if<ReasoningSeal>(&event.body)) {
    note(seal->block);
  }
}

/// The details of a refusal as text before its finish. It has no bytes, so a client of the provider's own protocol,
/// whose refusals have a place for details, gets what the provider sent.
const Event* HttpStream::explained(const Event& event, const Finish& finish) {
  const bool refused = finish.reason == FinishReason::refusal;
  if (!refused || (finish.explanation.empty() && spoke_)) {
    return &event;
  }
  auto text = finish.explanation.empty() ? silent_refusal : finish.explanation;
  if (spoke_) {
    text = kept(std::string("\n\n").append(text));
  }
  after_ = &event;
  return &restored_.emplace_back(Text(next_block_, text));
}

std::string_view HttpStream::kept(std::string_view text) {
  return restored_texts_.emplace_back(text);
}

/// The arguments of a call with the client's names of properties.
const Event* HttpStream::renamed(const Event& event) {
  if (const auto* const more = std::get_if<ToolArguments>(&event.body)) {
    const auto found = renamers_.find(more->block);
    if (found == renamers_.end()) {
      return &event;
    }
    Event copy = event;
    copy.body = ToolArguments(more->block, kept(found->second.add(more->json)));
    return &restored_.emplace_back(copy);
  }
  const auto* const end = std::get_if<ToolEnd>(&event.body);
  const auto found = end == nullptr ? renamers_.end() : renamers_.find(end->block);
  if (found == renamers_.end()) {
    return &event;
  }
  Event copy = event;
  if (!end->restated.empty()) {
    auto whole = found->second.fresh();
    std::string text(whole.add(end->restated));
    copy.body = ToolEnd(end->block, end->complete, kept(text.append(whole.end())));
  }
  const auto rest = kept(found->second.end());
  renamers_.erase(found);
  const auto* const last = &restored_.emplace_back(copy);
  if (rest.empty()) {
    return last;
  }
  after_ = last;
  return &restored_.emplace_back(ToolArguments(end->block, rest));
}

const Event* HttpStream::try_next() {
  if (peeked_ != nullptr) {
    return std::exchange(peeked_, nullptr);
  }
  const auto* const event = end_ ? nullptr : next();
  if (event == nullptr) {
    return nullptr;
  }
  if (const auto* error = std::get_if<Error>(&event->body)) {
    finish(finished_ ? Result<bool>(false) : Result<bool>(in_stream(*error)));
    return nullptr;
  }
  if (const auto* lost = std::get_if<Undecodable>(&event->body)) {
    finish(failure_of_loss(*lost));
    return nullptr;
  }
  if (std::holds_alternative<Heartbeat>(event->body)) {
    stall_->heartbeat();
  } else if (std::holds_alternative<Finish>(event->body)) {
    finished_ = true;
  } else if (is_progress(*event)) {
    stall_->progressed();
    silent_bytes_ = 0;
    said_ += said_by(*event);
    if (said_ > longest_answer) {
      finish(Failure(FailoverReason::malformed_response,
                     "the answer is larger than " + std::to_string(longest_answer) + " bytes"));
      return nullptr;
    }
  }
  return event;
}

// Waits in one coroutine: each has a frame to allocate for every token, and Asio keeps the memory of two.
asio::awaitable<Result<bool>> HttpStream::ready() {
  while ((peeked_ = try_next()) == nullptr) {
    if (end_) {
      // Const: a Result<bool> that is not would be taken for a bool, which says that there is a value.
      co_return std::as_const(*end_);
    }
    try {
      if (settled_early()) {
        continue;
      }
      if (decoder_->ended() || finished_) {
        co_await drain();
      }
      if (goes_on()) {
        const auto part = co_await response_->read();
        take(part);
      }
    } catch (const std::bad_alloc&) {
      out_of_memory();
    } catch (...) {
      // Who was stopped may keep the stream: it must keep neither a connection nor a timer.
      finish(Failure(StopReason::cancelled));
      throw;
    }
  }
  co_return true;
}

void HttpStream::finish(Result<bool> end) {
  end_ = std::move(end);
  stall_->stop();
  // Of nothing, if the body was read to its end: then the pool has the connection.
  response_->abort();
}

void HttpStream::out_of_memory() {
  finish(finished_ ? Result<bool>(false) : Result<bool>(Failure(LocalFault::memory)));
}

/// A caller that wants the answer whole need not wait for the end of a stream that has said everything.
bool HttpStream::settled_early() {
  const bool settles =
      !streamed_ && !finished_ && decoder_->held() == HeldFinish::sure && decoder_->counted();
  if (settles) {
    decoder_->settle();
  }
  return settles;
}

/// Whether there is more to read; if not, the stream has ended.
bool HttpStream::goes_on() {
  if (!decoder_->ended() && decoder_->error() && !finished_) {
    finish(Failure(FailoverReason::malformed_response, decoder_->error().message()));
  } else if (decoder_->ended() || body_ended_ || expired_ || finished_ || decoder_->error()) {
    finish(ended({}));
  } else if (const bool finishing = decoder_->held() == HeldFinish::sure; finishing != finishing_) {
    // Only now: most often the end comes with the finish.
    finishing_ = finishing;
    stall_->enter(finishing ? Phase::finish : Phase::progress);
  }
  return !end_;
}

/// Takes what a read gave. Throws if we were stopped.
void HttpStream::take(const NetResult<std::string_view>& part) {
  stall_->paused();
  if (part.has_error() && decoder_->held() == HeldFinish::sure) {
    decoder_->settle();  // however the rest of the connection went (protocols.md 7)
    body_ended_ = true;
  } else if (part.has_error()) {
    auto end = ended(part.error());
    if (end.has_error() && end.error().code() == asio::error::operation_aborted) {
      throw boost::system::system_error(end.error().code());
    }
    finish(std::move(end));
  } else if (part->empty()) {
    body_ended_ = true;
    decoder_->end();
  } else {
    silent_bytes_ += part->size();
    if (silent_bytes_ > longest_silence && !whole_) {
      finish(Failure(FailoverReason::timeout,
                     "no content within " + std::to_string(longest_silence) + " bytes"));
      return;
    }
    opening_ = std::string();
    seen_ = std::vector<Event>();
    restored_.clear();
    restored_texts_.clear();
    decoder_->feed(*part, readable_beyond);
  }
}

Result<bool> HttpStream::ended(std::optional<NetError> broken) {
  const bool complete = decoder_->ending() == Ending::complete;
  if (complete) {
    return false;
  }
  if (expired_) {
    return Failure(*expired_);
  }
  if (broken) {
    return failure_of(*broken, facts_);
  }
  return Failure(FailoverReason::malformed_response, "the stream ended without its terminal event");
}

/// After the answer's last word: so that the connection can be used again, if that is quick.
asio::awaitable<void> HttpStream::drain() {
  if (body_ended_ || response_->ended()) {
    co_return;
  }
  stall_->stop();
  const auto executor = co_await asio::this_coro::executor;
  const auto abort = [](void* response, Clock::time_point) {
    static_cast<HttpResponse*>(response)->abort();
  };
  understudy::detail::Alarm too_long(executor, abort, &*response_);
  too_long.set(Clock::now() + longest_drain);
  for (std::size_t drained = 0; !body_ended_ && drained < most_drained;) {
    const auto part = co_await response_->read();
    body_ended_ = part.has_error() || part->empty();
    drained += part.has_error() ? 0 : part->size();
  }
}

Failure HttpStream::failure_of_loss(const Undecodable& lost) {
  return {FailoverReason::malformed_response,
          std::string("a part of the answer could not be decoded: ") + lost.why};
}

Failure HttpStream::in_stream(const Error& error) const {
  return failure_of(
      facts_.error().with_status(200).with_body(error.json).with_message(error.message));
}

}  // namespace understudy::llm::detail
