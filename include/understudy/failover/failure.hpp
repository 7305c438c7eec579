/// The failure of an attempt or a call, and the result type that carries it.
///
/// Invariants
/// 1. Its code is a `FailoverReason`, a `StopReason` if the local side stopped the operation, or a
///    `LocalFault` if this machine has run out of a resource.
/// 2. Costs one pointer for success, and one allocation for a failure. Copies share it
///    (boost::system::result's `error()` copies, at each call).
/// 3. Contains text of the provider, limited in size, for human readers; no decision depends on it.
///
///     Result<int> answer = FailoverReason::overloaded;
///     if (!answer) {
///       std::cerr << to_string(answer.error()) << "\n";           // "overloaded"
///     }
///     answer.value();                                              // throws FailoverError
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/reason.hpp"
#include "understudy/failover/secret.hpp"
#include "understudy/runtime/cause.hpp"

namespace understudy {

/// See the top of the file. A value; threads may share copies.
class UNDERSTUDY_API Failure {
 public:
  static constexpr std::size_t longest_message = 500;

  /// No failure; its code is zero.
  Failure() noexcept {}

  /// From a reason, or any other error code: `co_return FailoverReason::overloaded;`.
  template <class Code>
    requires std::is_constructible_v<error_code, Code>
  Failure(Code code, std::string_view message = {}) : Failure(Cause(code), message) {}

  /// From the cause of a cancelled scope, with its evidence.
  Failure(const Cause& cause, std::string_view message = {});

  /// The provider asks not to be called for this time from now on.
  Failure& with_retry_after(std::optional<Clock::duration> wait);
  /// The code that made the request can mend it, so that it can be sent again: once for each reason, or for each name
  /// that it gives (what is mended; the failover does not interpret it).
  Failure& with_mend(std::string name = {});
  /// Removes the credential from the message, in case the provider has repeated it: as it is, escaped, in base64 or in
  /// hexadecimal. The text is searched before it is cut to `longest_message`.
  Failure& without(const Secret& secret);
  /// A lower bound of what the failed attempt has cost.
  Failure& with_tokens_spent(std::uint64_t tokens);
  /// The earlier failures, in order, for the failure of a whole call.
  Failure& with_attempts(std::vector<Failure> attempts);

  /// What failed: usually a FailoverReason, or the code of a local cause.
  const error_code& code() const noexcept;
  /// What was observed when a limit expired; empty for other failures.
  const Evidence& evidence() const noexcept;
  /// The provider's words, cut at `longest_message`; may be empty.
  const std::string& message() const noexcept;
  /// The wait that the provider asked for.
  const std::optional<Clock::duration>& retry_after() const noexcept;
  /// Whether the request can be sent again in another form (with_mend).
  bool mendable() const noexcept;
  /// The name that was given to the mend; may be empty.
  const std::string& mend_name() const noexcept;
  /// A lower bound of the tokens that the failed attempt has cost.
  std::uint64_t tokens_spent() const noexcept;

  /// Every attempt's failure, in order; empty for the failure of one attempt.
  std::span<const Failure> attempts() const noexcept;

 private:
  struct Data;

  const Data& data() const noexcept;
  Data& change();

  std::shared_ptr<Data> data_;
};

/// One line: the cause with its evidence, and the provider's words.
UNDERSTUDY_API std::string to_string(const Failure& failure);

/// Writes the line of to_string().
UNDERSTUDY_API std::ostream& operator<<(std::ostream& out, const Failure& failure);

/// A value, or the failure that took its place. `value()` of a failure throws FailoverError.
template <class T>
using Result = boost::system::result<T, Failure>;

/// The exception that `value()` throws on a Result that is a failure.
class UNDERSTUDY_API FailoverError : public boost::system::system_error {
 public:
  explicit FailoverError(const Failure& failure);

  /// The failure that was thrown.
  const Failure& failure() const noexcept { return failure_; }

 private:
  Failure failure_;
};

/// Called by `Result::value()`: throws FailoverError.
[[noreturn]] UNDERSTUDY_API void throw_exception_from_error(const Failure& failure,
                                                            const boost::source_location& site);

/// The reason for an error code of any origin: a reason itself; `connection` for connection errors of the system
/// (refused, reset, unreachable, end of file, unknown host); `timeout` for errc::timed_out and beast::error::timeout;
/// nothing for a stop, an abort, a local fault (runtime/local_fault.hpp) or success; else `unknown`.
UNDERSTUDY_API std::optional<FailoverReason> reason_for(const error_code& code) noexcept;

}  // namespace understudy
