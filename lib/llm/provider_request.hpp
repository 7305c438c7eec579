/// What is sent to a provider over HTTP: where to, with which headers and which credential, and in which words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/failover/attempt.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/llm/tool_table.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::llm::detail {

/// A request that is ready to be sent.
struct PreparedRequest {
  HttpRequest http;
  std::vector<std::string> mends;  ///< the names of the mends that were applied
  std::string lost;  ///< the first tool, message or part that the member does not get; empty: none
  ToolTable tools;   ///< for the answer
  std::string unsupported;  ///< Translation::unsupported
  ReasoningOrigin origin;   ///< of the answer
};

/// Whose reasoning the answers of this model have. Not whether that is the home of a request.
ReasoningOrigin reasoning_origin(const HttpProviderOptions& options, const std::string& model,
                                 const CredentialUse* credential);

/// Tells members and credentials from each other, and says nothing else: for marked headers (passed_headers.hpp).
std::string issuer_of(const HttpProviderOptions& options, const CredentialUse* credential);

/// The request for the attempt's member, mended for what the attempt says. The attempt notes what it lost.
PreparedRequest provider_request(const HttpProviderOptions& options, const Request& request,
                                 Attempt& attempt);

/// The same of a request that is not read, but for its model. Nothing: its body is no JSON object.
std::optional<HttpRequest> provider_request(const HttpProviderOptions& options,
                                            const ForwardedRequest& request,
                                            const Attempt& attempt);

/// The key of what was learned about such requests of this member (learned_refusals.hpp).
std::string lesson_key(const HttpProviderOptions& options, const Request& request,
                       const Attempt& attempt);

/// What the failure of a request that was refused with this status and body really is. A `format_error` that names a part
/// which the member lacks, or that is about our translation, is `unsupported_request`. `sent`: the body that was refused.
Failure capability_failure(const HttpProviderOptions& options, const Request& request,
                           const Attempt& attempt, Failure failure, int status,
                           std::string_view body, std::string_view sent);

/// Whether this very request can be mended for a failure of that reason.
bool can_mend(const HttpProviderOptions& options, const Request& request, FailoverReason reason);

}  // namespace understudy::llm::detail
