/// What is sent to a provider over HTTP: where to, with which headers and which credential, and in which words.
#pragma once

#include <optional>
#include <string>

#include "understudy/failover/attempt.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/llm/tool_table.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::llm::detail {

/// A request for a member, and what its translation says.
struct PreparedRequest {
  HttpRequest http;
  ToolTable tools;          ///< for the answer
  std::string unsupported;  ///< Translation::unsupported
};

/// The request for the attempt's member, mended for what the attempt says.
PreparedRequest provider_request(const HttpProviderOptions& options, const Request& request,
                                 const Attempt& attempt);

/// The same of a request that is not read, but for its model. Nothing: its body is no JSON object.
std::optional<HttpRequest> provider_request(const HttpProviderOptions& options,
                                            const ForwardedRequest& request,
                                            const Attempt& attempt);

/// Whether this very request can be mended for a failure of that reason.
bool can_mend(const HttpProviderOptions& options, const Request& request, FailoverReason reason);

}  // namespace understudy::llm::detail
