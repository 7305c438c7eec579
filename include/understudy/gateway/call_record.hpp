/// What is kept of one call through the gateway.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "understudy/failover/call_report.hpp"
#include "understudy/llm/protocol.hpp"

namespace understudy::gateway {

/// Holds no secret. The prompt alone if the configuration says so.
class CallRecord {
 public:
  CallRecord(std::string request_id, std::string resource, llm::Protocol words)
      : id(std::move(request_id)), path(std::move(resource)), protocol(words) {}

  std::string id;
  std::string path;
  llm::Protocol protocol;
  std::string model;  ///< that the client has asked for
  bool streamed = false;
  unsigned status = 0;  ///< what the client was told; zero: it went first
  bool broke = false;   ///< the answer broke off, or the client went
  Clock::duration took{};
  std::optional<Clock::duration> longest_gap;  ///< between two parts of a streamed answer
  CallReport report;
  std::string prompt;  ///< the request's body, if `log.prompts`
};

}  // namespace understudy::gateway
