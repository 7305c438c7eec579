#include "understudy/failover/error_reasons.hpp"

#include <doctest/doctest.h>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "understudy/failover/failover.hpp"
#include "understudy/testing/virtual_time.hpp"

using namespace understudy;
using namespace std::chrono_literals;
using R = FailoverReason;

namespace error_reasons_test {

/// The errors of a database client that knows nothing of this library.
class DatabaseCategory : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "database"; }
  std::string message(int value) const override { return "code " + std::to_string(value); }
};
const DatabaseCategory database_category;

struct DatabaseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Busy : DatabaseError {
  using DatabaseError::DatabaseError;
};

/// Calls a chain of two, of which the first fails with what it is told to throw.
struct Database {
  Outcome<std::string> call(std::function<void()> fail) {
    auto ask = [&](Attempt& attempt) -> asio::awaitable<std::string> {
      asked.push_back(attempt.member().provider());
      co_await sleep_for(1ms);
      if (attempt.member().provider() == "primary") {
        fail();
      }
      co_return "a row";
    };
    auto all = [&]() -> asio::awaitable<Outcome<std::string>> {
      co_return co_await failover(chain, policy, state, std::move(ask));
    };
    return time.run(context, all());
  }

  testing::VirtualTime time;
  asio::io_context context;
  Chain chain{Member("primary", "rows"), Member("replica", "rows")};
  Policy policy;
  State state;
  std::vector<std::string> asked;
};

TEST_CASE("a code is looked up before its category, and copies do not change each other") {
  ErrorReasons reasons;
  CHECK_FALSE(reasons.find(error_code(1, database_category)));
  reasons.add(error_code(1, database_category), R::auth);
  auto more = reasons;
  more.add(database_category, R::overloaded);
  CHECK(more.find(error_code(1, database_category)) == R::auth);
  CHECK(more.find(error_code(2, database_category)) == R::overloaded);
  CHECK_FALSE(reasons.find(error_code(2, database_category)));
  CHECK_FALSE(more.find(asio::error::eof));
}

TEST_CASE("the first function that accepts an exception's type decides") {
  ErrorReasons reasons;
  reasons.add<Busy>([](const Busy&) { return R::overloaded; });
  reasons.add<DatabaseError>(
      [](const DatabaseError& error) { return Failure(R::server_error, error.what()); });
  const auto found = [&](auto thrown) { return reasons.find(std::make_exception_ptr(thrown)); };
  CHECK(found(Busy("locked"))->code() == R::overloaded);
  CHECK(found(DatabaseError("disk"))->message() == "disk");
  CHECK_FALSE(found(std::logic_error("a bug")));
  CHECK_FALSE(found(42));
}

TEST_CASE(
    "codes and exceptions of another library lead to its replica, for the reason of the table") {
  Database database;
  database.policy.with_error_reasons(ErrorReasons()
                                         .add(error_code(7, database_category), R::model_not_found)
                                         .add<DatabaseError>([](const DatabaseError& error) {
                                           return Failure(R::overloaded, error.what());
                                         }));
  SUBCASE("a code") {
    const auto outcome =
        database.call([] { throw boost::system::system_error(error_code(7, database_category)); });
    CHECK(outcome.result.value() == "a row");
    CHECK(database.asked == std::vector<std::string>{"primary", "replica"});
    CHECK(outcome.report.attempts.front().failure.code() == R::model_not_found);
  }
  SUBCASE("an exception of a derived type") {
    const auto outcome = database.call([] { throw Busy("locked"); });
    CHECK(outcome.result.value() == "a row");
    CHECK(outcome.report.attempts.front().failure.code() == R::overloaded);
    CHECK(outcome.report.attempts.front().failure.message() == "locked");
  }
  SUBCASE("a code that is not in the table is `unknown`") {
    const auto outcome =
        database.call([] { throw boost::system::system_error(error_code(8, database_category)); });
    CHECK(outcome.report.attempts.front().failure.code() == R::unknown);
  }
  SUBCASE("any other exception is a bug") {
    CHECK_THROWS_AS(database.call([] { throw std::logic_error("a bug"); }), std::logic_error);
    CHECK(database.asked.size() == 1);
  }
}

TEST_CASE("the table says nothing of a cancellation") {
  Database database;
  database.policy.with_error_reasons(
      ErrorReasons().add(asio::error::operation_aborted, R::model_not_found));
  const auto outcome =
      database.call([] { throw boost::system::system_error(asio::error::operation_aborted); });
  CHECK(outcome.report.attempts.front().failure.code() == R::timeout);
}

}  // namespace error_reasons_test
