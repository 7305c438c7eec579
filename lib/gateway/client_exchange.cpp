#include "client_exchange.hpp"

#include <algorithm>
#include <utility>

#include "text/json_edit.hpp"
#include "understudy/llm/protocol_traits.hpp"
#include "websocket_turns.hpp"

namespace understudy::gateway::detail {
namespace {

constexpr std::size_t longest_id = 128;

bool is_plain(std::string_view id) {
  return !id.empty() && id.size() <= longest_id && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

ClientExchange::ClientExchange(HttpExchange& exchange, llm::Protocol protocol, std::string fresh_id,
                               WebSocketSession* socket)
    : http_(exchange), socket_(socket), protocol_(protocol), id_(std::move(fresh_id)) {
  const auto own = request().headers.find("x-request-id").value_or("");
  if (socket_ == nullptr && is_plain(own)) {  // a WebSocket's is of many requests
    id_ = own;
  }
}

asio::awaitable<error_code> ClientExchange::respond(unsigned status, HttpFields headers,
                                                    std::string_view body) {
  note(status, headers);
  if (socket_ != nullptr) {
    const auto event = websocket_error(status, text::json_at(body, {"error"}));
    co_return co_await socket_->send_event(event);
  }
  co_return co_await http_.respond(status, headers, body);
}

asio::awaitable<error_code> ClientExchange::begin(unsigned status, HttpFields headers) {
  note(status, headers);
  if (socket_ != nullptr) {
    begun_ = true;
    co_return error_code();
  }
  co_return co_await http_.begin(status, headers);
}

asio::awaitable<error_code> ClientExchange::write(std::string_view part) {
  return socket_ != nullptr ? socket_->send_events(part) : http_.write(part);
}

asio::awaitable<error_code> ClientExchange::finish() {
  if (socket_ == nullptr) {
    co_return co_await http_.finish();
  }
  co_return error_code();
}

bool ClientExchange::begun() const noexcept { return socket_ != nullptr ? begun_ : http_.begun(); }

asio::awaitable<void> ClientExchange::gone() {
  return socket_ != nullptr ? socket_->gone() : http_.gone();
}

void ClientExchange::note(unsigned status, HttpFields& headers) {
  status_ = status;
  headers.add("x-request-id", id_);
  if (const auto makers = llm::traits_of(protocol_).request_id_header; !makers.empty()) {
    headers.add(makers, id_);
  }
  if (!reader_.empty()) {
    headers.add("access-control-allow-origin", reader_);
    headers.add("access-control-expose-headers", "*");
    headers.add("vary", "origin");
  }
}

}  // namespace understudy::gateway::detail
