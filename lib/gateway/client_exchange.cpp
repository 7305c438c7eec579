#include "client_exchange.hpp"

#include <algorithm>
#include <utility>

#include "understudy/llm/protocol_traits.hpp"

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

ClientExchange::ClientExchange(HttpExchange& exchange, llm::Protocol protocol, std::string fresh_id)
    : http_(exchange), protocol_(protocol), id_(std::move(fresh_id)) {
  const auto own = request().headers.find("x-request-id").value_or("");
  if (is_plain(own)) {
    id_ = own;
  }
}

asio::awaitable<error_code> ClientExchange::respond(unsigned status, HttpFields headers,
                                                    std::string_view body) {
  note(status, headers);
  co_return co_await http_.respond(status, headers, body);
}

asio::awaitable<error_code> ClientExchange::begin(unsigned status, HttpFields headers) {
  note(status, headers);
  co_return co_await http_.begin(status, headers);
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
