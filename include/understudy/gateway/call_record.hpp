/// What a gateway records of one call: what the client asked for, what it was answered, and how that came about.
///
/// Invariants
/// 1. It holds no secret: credentials are named by their labels. It holds the request's body only if
///    RecordsOptions::prompts is set.
/// 2. `model` and `prompt` come from the client. They are bounded by the size of a request, but not escaped: a log
///    escapes and shortens them. `id` has at most 128 characters, of `[A-Za-z0-9-_.]`.
/// 3. A value: it refers to nothing, and may be copied to another thread.
///
///     const bool succeeded = record.status == 200 && !record.broke;
///     std::cout << record.id << (succeeded ? ": " : " FAILED: ") << record.report.why() << "\n";
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "understudy/failover/call_report.hpp"
#include "understudy/llm/protocol.hpp"

namespace understudy::gateway {

/// See the top of the file.
class CallRecord {
 public:
  CallRecord(std::string request_id, std::string resource, llm::Protocol client_protocol)
      : id(std::move(request_id)), path(std::move(resource)), protocol(client_protocol) {}

  std::string id;          ///< as `x-request-id` has it
  std::string path;        ///< of the resource, without the query
  llm::Protocol protocol;  ///< the client's
  std::string model;       ///< that the client asked for
  bool streamed = false;   ///< the client asked for a stream
  unsigned status = 0;  ///< HTTP status that was sent; zero: the client left before there was one
  bool broke = false;   ///< the answer ended early, or the client left
  bool left = false;    ///< the client left before the end
  bool waits =
      false;  ///< no member is asked at present: the call waits for one to return, or to retry
  Clock::duration took{};  ///< from the complete request to the end of its answer
  std::optional<Clock::duration> longest_gap;  ///< between two writes of a streamed answer
  CallReport report;                           ///< attempts, and the code of the call's end
  std::string prompt;  ///< the request's body if RecordsOptions::prompts is set, else empty
};

}  // namespace understudy::gateway
