#include "understudy/failover/failure.hpp"

#include <doctest/doctest.h>

#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>

#include "understudy/runtime/local_fault.hpp"

using namespace understudy;
using namespace std::chrono_literals;

namespace asio = boost::asio;
namespace errc = boost::system::errc;

TEST_CASE("none: a code of zero, and nothing to say") {
  const Failure none;
  CHECK_FALSE(none.code());
  CHECK(none.message().empty());
  CHECK_FALSE(none.retry_after());
  CHECK_FALSE(none.mendable());
  CHECK(none.tokens_spent() == 0);
  CHECK(none.attempts().empty());
  CHECK(none.evidence().clock == LimitClock::none);
  CHECK(sizeof(Failure) <= 2 * sizeof(void*));
}

TEST_CASE("it returns the values that it was given") {
  Evidence evidence;
  evidence.clock = LimitClock::progress;
  evidence.limit = 180s;
  Failure failure(Cause(FailoverReason::timeout, evidence), "no token");
  failure.with_retry_after(3s).with_mend().with_tokens_spent(12).with_attempts(
      {Failure(FailoverReason::overloaded), Failure(FailoverReason::timeout)});
  CHECK(failure.code() == FailoverReason::timeout);
  CHECK(failure.evidence().limit == 180s);
  CHECK(failure.message() == "no token");
  CHECK(failure.retry_after() == 3s);
  CHECK(failure.mendable());
  CHECK(failure.tokens_spent() == 12);
  REQUIRE(failure.attempts().size() == 2);
  CHECK(failure.attempts()[0].code() == FailoverReason::overloaded);
}

TEST_CASE("a copy does not change with what it was copied from") {
  Failure failure(FailoverReason::rate_limit);
  const Failure copy = failure;
  failure.with_retry_after(3s);
  CHECK_FALSE(copy.retry_after());
  Failure none;
  none.with_tokens_spent(5);
  CHECK(none.tokens_spent() == 5);
  CHECK(Failure().tokens_spent() == 0);
}

TEST_CASE("the provider's text is bounded") {
  const std::string long_text(10'000, 'x');
  CHECK(Failure(FailoverReason::unknown, long_text).message().size() == Failure::longest_message);
}

TEST_CASE("a credential in the provider's words is taken out, wherever it stands") {
  const Secret secret("sk-1");
  Failure failure(FailoverReason::auth, "sk-1: bad key sk-1, not like sk-2");
  const Failure copy = failure;
  failure.without(secret);
  CHECK(failure.message() == "[credential]: bad key [credential], not like sk-2");
  CHECK(failure.code() == FailoverReason::auth);
  CHECK(copy.message() == "sk-1: bad key sk-1, not like sk-2");
  CHECK(Failure(FailoverReason::auth, "bad key").without(secret).message() == "bad key");
  CHECK(Failure(FailoverReason::auth, "bad key").without(Secret()).message() == "bad key");
  CHECK(Failure().without(secret).code() == error_code());
  // What the replacement brings is not looked at again.
  CHECK(Failure(FailoverReason::auth, "red").without(Secret("red")).message() == "[credential]");
}

TEST_CASE("of a credential amid which the provider's words were cut nothing is left either") {
  const Secret secret("sk-0123456789");
  for (std::size_t shown = 4; shown <= secret.reveal().size(); ++shown) {
    const auto text =
        std::string(Failure::longest_message - shown, 'x') + "sk-0123456789 is no key";
    const auto told = Failure(FailoverReason::auth, text).without(secret).message();
    CHECK(told.find("x[cre") != std::string::npos);
    CHECK(told.find("sk-") == std::string::npos);
    CHECK(told.size() <= Failure::longest_message);
    // Cut by somebody before us.
    const auto known = Failure(FailoverReason::auth, text.substr(0, Failure::longest_message));
    CHECK(Failure(known).without(secret).message().find("sk-") == std::string::npos);
  }
  const std::string whole(Failure::longest_message - 4, 'x');
  CHECK(Failure(FailoverReason::auth, whole + "skip").without(secret).message() == whole + "skip");
}

TEST_CASE("one line for people") {
  CHECK(to_string(Failure(FailoverReason::overloaded)) == "overloaded");
  CHECK(to_string(Failure(FailoverReason::billing, "no credit")) == "billing: no credit");
}

TEST_CASE("a Result of it") {
  const Result<int> good = 5;
  CHECK(good.value() == 5);
  const Result<int> bad = Failure(FailoverReason::billing, "no credit");
  CHECK(bad.has_error());
  const Result<int> short_form = FailoverReason::overloaded;
  CHECK(short_form.error().code() == FailoverReason::overloaded);
  try {
    static_cast<void>(bad.value());
    FAIL("value() of a failure has to throw");
  } catch (const FailoverError& thrown) {
    CHECK(thrown.code() == FailoverReason::billing);
    CHECK(thrown.failure().message() == "no credit");
    CHECK(std::string(thrown.what()).find("no credit") != std::string::npos);
  }
}

TEST_CASE("the reason that a code stands for") {
  class Row {
   public:
    error_code code;
    std::optional<FailoverReason> reason;
  };
  const Row rows[] = {
      {FailoverReason::billing, FailoverReason::billing},
      {errc::make_error_code(errc::timed_out), FailoverReason::timeout},
      {asio::error::timed_out, FailoverReason::timeout},
      {boost::beast::error::timeout, FailoverReason::timeout},
      {asio::error::connection_refused, FailoverReason::connection},
      {asio::error::connection_reset, FailoverReason::connection},
      {asio::error::connection_aborted, FailoverReason::connection},
      {asio::error::broken_pipe, FailoverReason::connection},
      {asio::error::host_unreachable, FailoverReason::connection},
      {asio::error::network_unreachable, FailoverReason::connection},
      {asio::error::network_down, FailoverReason::connection},
      {asio::error::not_connected, FailoverReason::connection},
      {asio::error::eof, FailoverReason::connection},
      {asio::error::host_not_found, FailoverReason::connection},
      {asio::error::host_not_found_try_again, FailoverReason::connection},
      {asio::error::service_not_found, FailoverReason::connection},
      {asio::error::no_memory, std::nullopt},  // what this machine lacks is no provider's failure
      {asio::error::no_descriptors, std::nullopt},
      {errc::make_error_code(errc::too_many_files_open_in_system), std::nullopt},
      {errc::make_error_code(errc::no_space_on_device), std::nullopt},
      {LocalFault::threads, std::nullopt},
      {errc::make_error_code(errc::permission_denied), FailoverReason::unknown},
      {error_code(), std::nullopt},
      {asio::error::operation_aborted, std::nullopt},
      {errc::make_error_code(errc::operation_canceled), std::nullopt},
      {StopReason::cancelled, std::nullopt},
      {StopReason::deadline, std::nullopt},  // also errc::timed_out, and no stall for all that
      {StopReason::lost, std::nullopt},
      {StopReason::shutdown, std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.code.message());
    CHECK(reason_for(row.code) == row.reason);
  }
}
