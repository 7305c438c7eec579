#include "understudy/failover/failure.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <ostream>

#include "failover/redaction.hpp"
#include "understudy/runtime/local_fault.hpp"

namespace understudy {
namespace {

constexpr std::size_t most_beyond = std::size_t{8} * 1024;
constexpr std::size_t longest_character = 4;  // of UTF-8

/// beast::error::timeout, known by its name so that this layer needs no Beast.
bool is_beast_timeout(const error_code& code) noexcept {
  return code.value() == 1 && code.category().name() == std::string_view("boost.beast");
}

}  // namespace

struct Failure::Data {
  Cause cause;
  std::string message;
  std::string beyond;  // what the limit cuts off: a secret may begin before it
  std::optional<Clock::duration> retry_after;
  bool mendable = false;
  std::string mend_name;
  std::uint64_t tokens_spent = 0;
  std::vector<Failure> attempts;

  void say(std::string_view text) {
    auto end = std::min(text.size(), longest_message);
    const auto continues = [&](std::size_t at) {
      return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    const auto least = end - std::min(end, longest_character);
    while (end < text.size() && end > least && continues(end)) {
      --end;
    }
    message = text.substr(0, end);
    beyond = text.substr(end, most_beyond);
  }
};

Failure::Failure(const Cause& cause, std::string_view message) : data_(std::make_shared<Data>()) {
  data_->cause = cause;
  data_->say(message);
}

const Failure::Data& Failure::data() const noexcept {
  static const Data none;
  return data_ ? *data_ : none;
}

Failure::Data& Failure::change() {
  if (!data_ || data_.use_count() > 1) {
    data_ = std::make_shared<Data>(data());
  }
  return *data_;
}

Failure& Failure::with_retry_after(std::optional<Clock::duration> wait) {
  change().retry_after = wait;
  return *this;
}
Failure& Failure::with_mend(std::string name) {
  change().mendable = true;
  change().mend_name = std::move(name);
  return *this;
}
Failure& Failure::without(const Secret& secret) {
  if (!message().empty()) {
    const auto whole = message() + data().beyond;
    // Words that are about as long as ours may be were perhaps cut on the way, amid the secret.
    const bool cut = whole.size() + longest_character > longest_message;
    const auto shown = detail::redacted(whole, secret.reveal(), cut);
    if (shown != whole) {
      change().say(shown);
    }
  }
  return *this;
}
Failure& Failure::with_tokens_spent(std::uint64_t tokens) {
  change().tokens_spent = tokens;
  return *this;
}
Failure& Failure::with_attempts(std::vector<Failure> attempts) {
  change().attempts = std::move(attempts);
  return *this;
}

const error_code& Failure::code() const noexcept { return data().cause.code; }
const Evidence& Failure::evidence() const noexcept { return data().cause.evidence; }
const std::string& Failure::message() const noexcept { return data().message; }
const std::optional<Clock::duration>& Failure::retry_after() const noexcept {
  return data().retry_after;
}
bool Failure::mendable() const noexcept { return data().mendable; }
const std::string& Failure::mend_name() const noexcept { return data().mend_name; }
std::uint64_t Failure::tokens_spent() const noexcept { return data().tokens_spent; }
std::span<const Failure> Failure::attempts() const noexcept { return data().attempts; }

std::string to_string(const Failure& failure) {
  std::string text = to_string(Cause(failure.code(), failure.evidence()));
  if (!failure.message().empty()) {
    text += ": ";
    text += failure.message();
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const Failure& failure) {
  return out << to_string(failure);
}

FailoverError::FailoverError(const Failure& failure)
    : system_error(failure.code(), to_string(failure)), failure_(failure) {}

void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
  throw FailoverError(failure);
}

std::optional<FailoverReason> reason_for(const error_code& code) noexcept {
  if (const auto reason = reason_of(code)) {
    return reason;
  }
  namespace errc = boost::system::errc;
  if (!code || code.category() == stop_category() || code == errc::operation_canceled ||
      local_fault_of(code)) {
    return std::nullopt;
  }
  if (code == errc::timed_out || is_beast_timeout(code)) {
    return FailoverReason::timeout;
  }
  const auto of_connections = {
      errc::connection_refused, errc::connection_reset, errc::connection_aborted,
      errc::broken_pipe,        errc::host_unreachable, errc::network_unreachable,
      errc::network_down,       errc::network_reset,    errc::not_connected};
  for (const auto condition : of_connections) {
    if (code == condition) {
      return FailoverReason::connection;
    }
  }
  const bool lost = code == asio::error::eof || code == asio::error::host_not_found ||
                    code == asio::error::host_not_found_try_again ||
                    code.category() == asio::error::get_addrinfo_category();
  return lost ? FailoverReason::connection : FailoverReason::unknown;
}

}  // namespace understudy
