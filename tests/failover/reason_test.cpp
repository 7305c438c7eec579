#include "understudy/failover/reason.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "understudy/runtime/cause.hpp"
#include "understudy/runtime/local_fault.hpp"

using namespace understudy;

TEST_CASE("every reason has a row of its own, and its name leads back to it") {
  std::set<std::string_view> names;
  int value = 0;
  for (const auto& row : all_reasons()) {
    CAPTURE(row.name);
    CHECK(static_cast<int>(row.reason) == ++value);
    CHECK(names.insert(row.name).second);
    CHECK(reason_from(row.name) == row.reason);
    CHECK(to_string(row.reason) == row.name);
    CHECK(&traits(row.reason) == &row);
    // What cools down has a time to cool, and the other way round.
    CHECK((row.concern == Concern::nothing) == (row.ladder == CooldownLadder::none));
  }
  // hermes' classifier has 29; connections add three (two of ours, stale ones), and a resume one.
  CHECK(value == 34);
}

TEST_CASE("a name that is not exactly a reason's is not accepted") {
  CHECK_FALSE(reason_from(""));
  CHECK_FALSE(reason_from("Timeout"));
  CHECK_FALSE(reason_from("timeout "));
  CHECK_FALSE(reason_from("cancelled"));
}

TEST_CASE("a reason is an error code that knows its treatment and the standard's word") {
  const error_code timeout = FailoverReason::timeout;
  CHECK(timeout == FailoverReason::timeout);
  CHECK(timeout == Treatment::stall);
  CHECK(timeout != Treatment::busy);
  CHECK(timeout == boost::system::errc::timed_out);
  CHECK(timeout.message() == "timeout");
  CHECK(reason_of(timeout) == FailoverReason::timeout);

  CHECK(error_code(FailoverReason::auth) == boost::system::errc::permission_denied);
  CHECK(error_code(FailoverReason::payload_too_large) == boost::system::errc::message_size);
  CHECK(error_code(FailoverReason::billing) != boost::system::errc::permission_denied);
  for (const auto& row : all_reasons()) {
    CAPTURE(row.name);
    CHECK(error_code(row.reason) == row.treatment);
  }
}

TEST_CASE("neither a stop nor a local fault is a reason") {
  CHECK_FALSE(reason_of(StopReason::deadline));
  CHECK_FALSE(reason_of(LocalFault::descriptors));
  CHECK_FALSE(reason_of(error_code()));
  CHECK_FALSE(reason_of(error_code(1000, failover_category())));
  CHECK(error_code(1000, failover_category()).message() == "not a failover reason");
  CHECK(error_code(1000, failover_category()) != Treatment::stall);
  // Both mean that time was up, but only one of them may fail over.
  CHECK(error_code(StopReason::deadline) == boost::system::errc::timed_out);
  CHECK(error_code(StopReason::deadline) != Treatment::stall);
}

TEST_CASE("what a failure concerns") {
  // A limit or a stall says nothing about other models of the same key (openclaw #87462, #89382).
  CHECK(traits(FailoverReason::rate_limit).concern == Concern::credential_model);
  CHECK(traits(FailoverReason::timeout).concern == Concern::member);
  CHECK(traits(FailoverReason::overloaded).concern == Concern::member);
  CHECK(traits(FailoverReason::model_not_found).concern == Concern::member);
  CHECK(traits(FailoverReason::billing).concern == Concern::credential);
  CHECK(traits(FailoverReason::connection).concern == Concern::endpoint);
  // The request's own fault marks nobody.
  for (const auto& row : all_reasons()) {
    if (row.treatment == Treatment::mend || row.treatment == Treatment::larger_window) {
      CAPTURE(row.name);
      CHECK(row.concern == Concern::nothing);
    }
  }
}
