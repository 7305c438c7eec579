/// Requests as clients send them.
#pragma once

#include <doctest/doctest.h>

#include <string_view>
#include <utility>

#include "understudy/llm/codec.hpp"

namespace understudy::llm {

inline Request client_request(Protocol protocol, std::string_view body) {
  auto request = codec_for(protocol).read_request(body);
  REQUIRE_MESSAGE(request.has_value(), (request.has_error() ? request.error().message : ""));
  return std::move(*request);
}

}  // namespace understudy::llm
