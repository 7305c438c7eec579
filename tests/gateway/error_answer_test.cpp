#include "../../lib/gateway/error_answer.hpp"

#include <doctest/doctest.h>

#include <string>

#include "understudy/runtime/local_fault.hpp"

using namespace understudy;
using namespace understudy::llm;
using gateway::detail::error_answer;
using gateway::detail::stream_error;

TEST_CASE("a local fault: 503 with Retry-After, and a message that names the limit to raise") {
  struct Row {
    LocalFault fault;
    const char* lacks;
    const char* raise;
  };
  const Row rows[] = {
      {LocalFault::descriptors, "out of descriptors", "`LimitNOFILE=`"},
      {LocalFault::system_descriptors, "out of descriptors on the whole machine", "fs.file-max"},
      {LocalFault::memory, "out of memory", "`MemoryMax=`"},
      {LocalFault::threads, "out of threads", "`TasksMax=`"},
      {LocalFault::space, "out of space", "free space"},
  };
  for (const auto protocol : protocols) {
    for (const auto& row : rows) {
      CAPTURE(to_string(protocol));
      CAPTURE(row.lacks);
      const Failure failure(row.fault, "Too many open files: 127.0.0.1 (connect)");
      const auto answer = error_answer(failure, protocol);
      CHECK(answer.status == 503);
      CHECK(answer.headers.find("retry-after") == "5");
      CHECK(answer.headers.find("x-should-retry") == "true");
      CHECK(answer.body.find(row.lacks) != std::string::npos);
      CHECK(answer.body.find(row.raise) != std::string::npos);
      CHECK(answer.body.find("127.0.0.1") == std::string::npos);  // no provider's concern

      const auto late = stream_error(failure, protocol);
      const bool anthropic = protocol == Protocol::anthropic_messages;
      CHECK(late.type == (anthropic ? "overloaded_error" : "server_error"));
      CHECK(late.message.find(row.raise) != std::string::npos);
      CHECK(late.code == "gateway_out_of_resources");
    }
  }
}
