/// What a WebSocket connection for Responses remembers between its responses, and the requests that follow from it.
///
/// Invariants
/// 1. Pure. A request that continues the last response of the connection has its whole input, so it can be asked of any
///    member, also one that has not given that response.
/// 2. Only the last response is remembered, and at most `longest` bytes of it: a later request that names another one
///    is refused with `previous_response_not_found`, after which clients send everything.
/// 3. A failed response is forgotten with what it was based on, as OpenAI's service does (docs/gateway.md 15).
///
///     WebSocketTurns turns(max_body);
///     auto turn = turns.read(message);
///     if (auto* ask = std::get_if<WebSocketTurns::Ask>(&turn)) { ... answer ask->body ... }
///     turns.event(R"({"type":"response.completed","response":{...}})");
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace understudy::gateway::detail {

class WebSocketTurns {
 public:
  /// A request, as the body of `POST /v1/responses`.
  struct Ask {
    std::string body;
  };
  /// Events that answer the message without asking anyone: a warm-up (`generate: false`).
  struct Reply {
    std::vector<std::string> events;
  };
  /// The message is refused.
  struct Refusal {
    unsigned status = 400;
    std::string code;
    std::string message;
  };
  using Turn = std::variant<Ask, Reply, Refusal>;

  explicit WebSocketTurns(std::size_t longest) : longest_(longest) {}

  /// What a text message asks for. `id`: for a response that the gateway makes itself. `created`: in seconds.
  Turn read(std::string_view message, const std::string& id, long long created);

  /// An event of the answer to the last request. Returns what is sent in its place, if anything: the member that answers
  /// does not know which response the request continued.
  std::optional<std::string> event(std::string_view json);

  /// The last request was refused.
  void refused() { forget(); }

 private:
  void forget();
  void keep(std::string id, std::string input);

  std::size_t longest_;
  std::string
      continued_;  // the id of the response that the request being answered continues; may be empty
  std::string asked_;  // the elements of the input of the request that is being answered
  std::string id_;     // of the last response
  std::string input_;  // elements: what led to it, and what it says
};

/// The event that reports a refusal.
std::string websocket_error(unsigned status, std::string_view error_json);

}  // namespace understudy::gateway::detail
