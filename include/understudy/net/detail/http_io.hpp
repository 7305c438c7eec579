/// Stream operations shared by the HTTP client and server.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <string_view>

#include "understudy/net/byte_stream.hpp"
#include "understudy/net/detail/http_parser.hpp"
#include "understudy/net/detail/read_buffer.hpp"
#include "understudy/net/io_observer.hpp"

namespace understudy::detail {

/// Whether the current coroutine was cancelled; in that case the stream is unusable.
inline asio::awaitable<bool> aborted_by_cancel(ByteStream& stream) {
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool cancelled = state.cancelled() != asio::cancellation_type::none;
  if (cancelled) {
    stream.abort();
  }
  co_return cancelled;
}

/// Reads the next bytes into the buffer, which must not be full, and waits for them if necessary.
inline asio::awaitable<IoResult> fill(ByteStream& stream, ReadBuffer& buffer,
                                      IoObserver& observer) {
  while (true) {
    const auto read = stream.try_read(buffer.space());
    if (!read.code) {
      buffer.add(read.bytes);
      observer.heard(read.bytes);
    }
    if (read.code != asio::error::would_block) {
      co_return read;
    }
    buffer.park();
    observer.waiting(&stream);
    co_await stream.wait_readable();
    if (co_await aborted_by_cancel(stream)) {
      co_return IoResult::aborted();
    }
  }
}

/// Writes all of it.
inline asio::awaitable<error_code> write_all(ByteStream& stream, std::string_view data,
                                             IoObserver& observer) {
  while (!data.empty()) {
    const auto written = stream.try_write(data);
    if (written.code == asio::error::would_block) {
      observer.waiting(&stream);
      co_await stream.wait_writable();
      if (co_await aborted_by_cancel(stream)) {
        co_return asio::error::operation_aborted;
      }
    } else if (written.code) {
      co_return written.code;
    } else {
      data.remove_prefix(written.bytes);
    }
  }
  co_return error_code();
}

/// Reads a message head. Returns the error, or nothing on success. (g++ 12 warns of a NetResult<void> here.)
inline asio::awaitable<std::optional<NetError>> read_head(ByteStream& stream, ReadBuffer& buffer,
                                                          HttpParser& parser, IoObserver& observer,
                                                          Phase phase) {
  while (true) {
    if (const auto bytes = buffer.bytes(); !bytes.empty()) {
      auto step = parser.parse_head(bytes);
      if (step.has_error()) {
        auto error = step.error();
        error.phase = phase;
        co_return error;
      }
      buffer.consume(step->consumed);
      if (parser.head_done()) {
        co_return std::nullopt;
      }
    }
    const auto read = co_await fill(stream, buffer, observer);
    if (read.code == asio::error::eof) {
      co_return NetError(NetFault::truncated, phase);
    }
    if (read.code) {
      co_return NetError(read.code, phase);
    }
  }
}

}  // namespace understudy::detail
