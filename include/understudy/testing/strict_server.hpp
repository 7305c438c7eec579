/// A server that acts as one of the strict back ends (strict_backend.hpp), over any Acceptor: it refuses what the back
/// end refuses, answers what it accepts, and records both.
///
/// Invariants
/// 1. Besides the back end's own path it answers `HEAD /` and `GET /` with 200, `GET .../models` with the default model,
///    and a WebSocket upgrade with 426; everything else with 404 in the back end's error form.
/// 2. The records are bounded in number and to 64 MiB of bodies: the oldest exchanges are dropped, never the last one.
///
///     StrictServer codex(StrictBackends::embedded().backend("codex"));
///     co_await race(codex.serve(*acceptor), ask_three_times(client));
///     CHECK(codex.exchanges().back().refusal->rule_id == "cx.top");
///
/// Faults: `StrictServerOptions::with_edit` adds them to a reply.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/strict_backend.hpp"

namespace understudy::testing {

/// A request, and what became of it.
class StrictExchange {
 public:
  StrictExchange() {}

  HttpHead head;
  std::string body;
  std::optional<Refusal> refusal;    ///< nothing: it was answered
  std::vector<Refusal> warnings;     ///< rules that were broken and did not refuse
  std::vector<std::string> dropped;  ///< as in Verdict
};

/// How strict the server is, what it answers, and how many exchanges it keeps.
class StrictServerOptions {
 public:
  StrictServerOptions() {}

  StrictServerOptions& with_strictness(Strictness s) { return strictness = s, *this; }
  StrictServerOptions& with_answer(StrictAnswerOptions o) { return answer = std::move(o), *this; }
  StrictServerOptions& with_credentials_required(bool on) { return needs_credentials = on, *this; }
  /// A rule that only warns.
  StrictServerOptions& without_rule(std::string id) {
    return ignored.push_back(std::move(id)), *this;
  }
  StrictServerOptions& with_max_exchanges(std::size_t n) { return max_exchanges = n, *this; }
  /// Called with each reply before it is sent, to change it or to add faults.
  StrictServerOptions& with_edit(std::function<void(const StrictExchange&, Reply&)> f) {
    return edit = std::move(f), *this;
  }

  Strictness strictness = Strictness::documented;
  StrictAnswerOptions answer;     ///< numbered by the server
  bool needs_credentials = true;  ///< whether StrictBackend::authorize applies
  std::vector<std::string> ignored;
  std::size_t max_exchanges = 1000;  ///< recorded; at least 1
  std::function<void(const StrictExchange&, Reply&)> edit;
};

/// See the top of the file. The back end must outlive it. Threads: one executor.
class UNDERSTUDY_API StrictServer {
 public:
  explicit StrictServer(const StrictBackend& backend,
                        StrictServerOptions options = StrictServerOptions());
  StrictServer(const StrictServer&) = delete;
  StrictServer& operator=(const StrictServer&) = delete;

  /// As FaultServer::serve.
  asio::awaitable<void> serve(Acceptor& acceptor) { return server_.serve(acceptor); }

  /// The last exchanges, in order of arrival.
  const std::deque<StrictExchange>& exchanges() const noexcept { return exchanges_; }
  /// Its connections; their records contain no bodies.
  const FaultServer& server() const noexcept { return server_; }

 private:
  Reply reply(const SeenRequest& request);
  Reply reply_to(const SeenRequest& request, StrictExchange& exchange);
  std::optional<Refusal> judge(const SeenRequest& request, StrictExchange& exchange) const;

  const StrictBackend& backend_;
  StrictServerOptions options_;
  FaultServer server_;
  std::deque<StrictExchange> exchanges_;
  std::size_t kept_bytes_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace understudy::testing
