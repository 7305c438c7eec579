/// Requests that are forwarded without being read, such as for embeddings, files or batches, and their answers.
///
/// Invariants
/// 1. Of a JSON body only the model is replaced, and carriers of reasoning are opened (carrier.hpp); any other body goes
///    on as it is.
/// 2. Of a JSON answer up to `longest_kept` bytes are read before the attempt ends, so that another member can be asked if
///    it breaks. The rest, and all other answers, are passed on as they come, within the attempt's limits for streams.
/// 3. Statuses that concern the provider (401, 402, 403, 408, 429, 5xx) are failures. All other errors are too, unless the
///    request concerns what only this provider has (`with_kept_state`): then they are its answer.
///
///     ForwardedRequest request("POST", "/embeddings", R"({"model":"m","input":"x"})");
///     ForwardedResponse response(200, HeaderList(), R"({"data":[]})");
///     assert(response.whole());
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "understudy/export.hpp"
#include "understudy/failover/failure.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::llm {

/// See the top of the file.
class ForwardedRequest {
 public:
  ForwardedRequest(std::string verb, std::string path, std::string bytes)
      : method(std::move(verb)), below(std::move(path)), body(std::move(bytes)) {}

  /// Keeps the model that the body names, in place of the member's model.
  ForwardedRequest& with_own_model(bool on = true) { return own_model = on, *this; }
  /// See Request::betas.
  ForwardedRequest& with_betas(std::string names) { return betas = std::move(names), *this; }
  /// What the body is; default: JSON.
  ForwardedRequest& with_content_type(std::string type) {
    return content_type = std::move(type), *this;
  }
  ForwardedRequest& with_accept(std::string types) { return accept = std::move(types), *this; }
  /// The client's query, without `?`.
  ForwardedRequest& with_query(std::string text) { return query = std::move(text), *this; }
  /// See invariant 3. Only the first member is asked.
  ForwardedRequest& with_kept_state(bool on = true) { return kept_state = on, *this; }
  /// See Member::with_purpose. Default: the path.
  ForwardedRequest& with_purpose(std::string name) { return purpose = std::move(name), *this; }

  std::string method;
  std::string below;  ///< the path below the base URL and its version
  std::string body;
  std::string content_type = "application/json";
  std::string accept = "application/json";
  std::string query;
  std::string betas;
  std::string purpose;
  HeaderList client_headers;  ///< see Request
  bool own_model = false;
  bool kept_state = false;
};

/// See the top of the file. Movable. Threads: a single executor.
class UNDERSTUDY_API ForwardedResponse {
 public:
  static constexpr std::size_t longest_kept = std::size_t{1} << 20U;

  /// Where the rest of a body comes from.
  class Source {
   public:
    virtual ~Source() = default;
    /// Completes with the next bytes, valid until the next call; empty at the end.
    virtual asio::awaitable<Result<std::string_view>> next() = 0;
  };

  ForwardedResponse(unsigned code, HeaderList fields, std::string bytes)
      : status(code), headers(std::move(fields)), body(std::move(bytes)) {}

  ForwardedResponse& with_rest(std::unique_ptr<Source> source) {
    return rest_ = std::move(source), *this;
  }

  /// Whether `body` is all of it.
  bool whole() const noexcept { return rest_ == nullptr; }

  /// Completes with more of the body after `body`, empty at its end; the view is valid until the next call. Errors:
  /// classified; nothing more comes after one. Cancellation: throws operation_aborted.
  asio::awaitable<Result<std::string_view>> next();

  unsigned status;
  HeaderList headers;  ///< those of the body (`content-type`), and those that pass to the client
  std::string body;

 private:
  std::unique_ptr<Source> rest_;
};

}  // namespace understudy::llm
