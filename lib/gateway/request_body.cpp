#include "request_body.hpp"

#include "net/content_decoding.hpp"

namespace understudy::gateway::detail {

asio::awaitable<NetResult<std::string>> read_body(HttpExchange& http, std::uint64_t most) {
  const auto codings = understudy::detail::content_codings(http.request().headers);
  if (!codings || codings->empty()) {
    co_return co_await http.read_all();
  }
  understudy::detail::ContentDecoding decoding(*codings, most);
  while (true) {
    const auto part = co_await http.read();
    if (part.has_error()) {
      co_return part.error();
    }
    auto wrong = part->empty() ? decoding.end() : decoding.feed(*part);
    if (wrong) {
      co_return std::move(*wrong);
    }
    if (part->empty()) {
      co_return decoding.take();
    }
  }
}

}  // namespace understudy::gateway::detail
