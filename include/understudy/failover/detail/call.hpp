/// The parts of one call together: its inputs, its record, selection, and settlement.
#pragma once

#include <optional>
#include <source_location>
#include <utility>

#include "understudy/failover/detail/call_context.hpp"
#include "understudy/failover/detail/call_record.hpp"
#include "understudy/failover/detail/member_run.hpp"
#include "understudy/failover/detail/selection.hpp"
#include "understudy/failover/detail/settlement.hpp"

namespace understudy::detail {

/// The answer of a call: the member that gives it, and its attempt.
class GivenAnswer {
 public:
  GivenAnswer(MemberRun r, std::size_t index, Clock::time_point when)
      : run(std::move(r)), attempt(index), began(when) {}

  MemberRun run;
  std::size_t attempt;  // its index in the report
  Clock::time_point began;
};

/// See the top of the file. One executor.
class Call {
 public:
  Call(const Chain& chain, const Policy& policy, State& state, const CallOptions& options,
       std::source_location site)
      : context(chain, policy, state, options, site),
        record(context),
        selection(context, record),
        settlement(context, selection) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const CallContext context;
  CallRecord record;
  Selection selection;
  Settlement settlement;
  std::optional<GivenAnswer> answer;
};

}  // namespace understudy::detail
