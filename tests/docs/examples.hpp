/// What the examples in the headers' opening comments take for granted: names that their readers have.
///
/// tests/docs/citations compiles the example of include/understudy/FOLDER/NAME.hpp in the namespace
/// examples::in_FOLDER::of_NAME, within a coroutine. Nothing here is ever defined or run. A name that all
/// examples of a folder can share is declared in in_FOLDER; one that means something else in one header, in
/// that header's namespace.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/describe/class.hpp>
#include <cassert>
#include <cstdlib>
#include <future>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "understudy/client/client.hpp"
#include "understudy/client/configured_catalog.hpp"
#include "understudy/client/recovery.hpp"
#include "understudy/client/resume_request.hpp"
#include "understudy/client/seam.hpp"
#include "understudy/client/shared_client.hpp"
#include "understudy/client/structured.hpp"
#include "understudy/client/tool_loop.hpp"
#include "understudy/client/typed_tools.hpp"
#include "understudy/failover/error_reasons.hpp"
#include "understudy/failover/failover.hpp"
#include "understudy/failover/log_observer.hpp"
#include "understudy/gateway/certificate.hpp"
#include "understudy/gateway/gateway.hpp"
#include "understudy/gateway/gateway_stop.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/llm/carrier.hpp"
#include "understudy/llm/classify.hpp"
#include "understudy/llm/cleaned_session.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/conversation.hpp"
#include "understudy/llm/described.hpp"
#include "understudy/llm/endpoint.hpp"
#include "understudy/llm/event_decoder.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/llm/file_parts.hpp"
#include "understudy/llm/fit.hpp"
#include "understudy/llm/forward.hpp"
#include "understudy/llm/learned_refusals.hpp"
#include "understudy/llm/mend.hpp"
#include "understudy/llm/oauth.hpp"
#include "understudy/llm/refused_part.hpp"
#include "understudy/llm/retry_after.hpp"
#include "understudy/llm/stall_scaling.hpp"
#include "understudy/llm/stream_mend.hpp"
#include "understudy/llm/token_file.hpp"
#include "understudy/llm/translate.hpp"
#include "understudy/net/http_server.hpp"
#include "understudy/net/io_observer.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/net/websocket.hpp"
#include "understudy/runtime/initiate.hpp"
#include "understudy/runtime/local_fault.hpp"
#include "understudy/runtime/notice.hpp"
#include "understudy/runtime/race.hpp"
#include "understudy/runtime/stall_timer.hpp"
#include "understudy/testing/answer_check.hpp"
#include "understudy/testing/broken_answers.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/memory_network.hpp"
#include "understudy/testing/refusing_port.hpp"
#include "understudy/testing/scripted_call.hpp"
#include "understudy/testing/scripted_resolver.hpp"
#include "understudy/testing/simulation.hpp"
#include "understudy/testing/strict_backend.hpp"
#include "understudy/testing/strict_server.hpp"
#include "understudy/testing/test_certificates.hpp"
#include "understudy/testing/virtual_time.hpp"
#include "understudy/text/json_writer.hpp"
#include "understudy/text/source_errors.hpp"

#define CHECK(...) static_cast<void>(__VA_ARGS__)

namespace examples {

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;

extern const asio::any_io_executor& executor;
extern asio::io_context& context;
extern asio::ip::tcp::socket& socket;
extern const asio::mutable_buffer& buffer;
extern Scope& scope;
extern const StallLimits& limits;
extern const Chain& chain;
extern const Policy& policy;
extern const Config& config;
extern const Request& request;
extern const Event& event;
extern std::string& out;

namespace in_runtime {

struct Parsed {
  bool is_heartbeat;
};
struct Mirror {};
extern const Mirror& mirror_a;
extern const Mirror& mirror_b;
extern bool& done;
extern const Clock::time_point& now;
extern const Clock::time_point& due;
extern const std::uint64_t& n;
asio::awaitable<void> beat_the_drum();
asio::awaitable<std::string> read_all(asio::ip::tcp::socket&);
asio::awaitable<std::string> ask(const Mirror&);
std::vector<Parsed> parse(const asio::mutable_buffer&, std::size_t);

namespace of_initiate {
struct Tank {};
extern const Tank& tank;
asio::awaitable<int> measure(const Tank&);
}  // namespace of_initiate

namespace of_notice {
extern Notice& notice;
bool found();
}  // namespace of_notice

namespace of_local_fault {
extern const error_code& code;
void log(const std::string&, std::string_view);
}  // namespace of_local_fault

}  // namespace in_runtime

namespace in_failover {

extern State& state;
extern const std::string& question;
extern const Outcome<Answer>& outcome;
extern const unsigned& retries;
extern const std::shared_ptr<CredentialPool>& keys;
extern std::map<std::string, double>& seconds;
bool is_token(const asio::mutable_buffer&);
asio::awaitable<Result<Answer>> ask(const Member&, const std::string&);
asio::awaitable<Result<Answer>> call(Attempt&);
void log(const std::string&);
void use(const Answer&);
void retry();

namespace of_failover_call {
asio::awaitable<Result<Answer>> open_stream(Attempt&);
asio::awaitable<Result<void>> copy_to_consumer(const Answer&);
}  // namespace of_failover_call

namespace of_quota {
extern Attempt& attempt;
}  // namespace of_quota

namespace of_call_slots {
extern const std::shared_ptr<CallSlots>& slots;
extern const std::size_t& credential;
asio::awaitable<void> ask(std::size_t);
}  // namespace of_call_slots

namespace of_credential_pool {
extern const std::string& first;
extern const std::string& second;
}  // namespace of_credential_pool

namespace of_hedge {
extern const Member& first;
extern const Member& second;
asio::awaitable<Result<Answer>> ask(const Member&);
}  // namespace of_hedge

namespace of_secret {
struct HeaderFields {
  void set(std::string_view name, std::string_view value);
};
extern HeaderFields& request;
}  // namespace of_secret

}  // namespace in_failover

namespace in_net {

extern HttpClient& client;
extern const Endpoint& endpoint;
extern const HttpRequest& request;
extern IoObserver& observer;
extern Acceptor& acceptor;
extern ByteStream& stream;
extern std::string& json;
extern const std::shared_ptr<Resolver>& resolver;
extern std::unique_ptr<ByteStream>& tcp;
void consume(std::string_view);

namespace of_byte_stream {
extern const std::span<char>& buffer;
}  // namespace of_byte_stream

}  // namespace in_net

namespace in_llm {

using namespace understudy::llm;

extern State& state;
extern HttpClient& client;
extern const Codec& codec;
extern EventDecoder& decoder;
extern Stream& stream;
extern StallTimer& stall;
extern Scope& root;
extern const std::string& bytes;
extern const std::string& file;
extern const Url& token_url;
extern const std::string& client_id;
extern std::string& body;
void send(const Request&);
void log(std::string_view, std::string_view);
Provider& provider_of(const Member&);

namespace of_conversation {
extern Client& client;
std::string run(const ToolCallPart&);
}  // namespace of_conversation

namespace of_described {
struct LevelQuery {
  std::string tank;
  std::optional<int> digits;
};
BOOST_DESCRIBE_STRUCT(LevelQuery, (), (tank, digits))
}  // namespace of_described

namespace of_token_file {
extern const std::string& path;
asio::awaitable<std::string> renew(const std::string&);
}  // namespace of_token_file

namespace of_fit {
extern const Request& request;
void send(const std::string& body, const std::string& betas);
}  // namespace of_fit

namespace of_learned_refusals {
extern const std::string& key;
}  // namespace of_learned_refusals

namespace in_catalog::of_rule {
extern const BackEnd& back_end;
void keep_only(const std::vector<std::string>&);
}  // namespace in_catalog::of_rule

namespace of_carried_seals {
extern EventEncoder& encoder;
struct Answered {
  const ReasoningOrigin& origin() const;
  Protocol protocol() const;
};
extern const Answered& answer;
}  // namespace of_carried_seals
namespace of_cleaned_session {
extern const std::string& line;
extern std::ostream& out;
}  // namespace of_cleaned_session

}  // namespace in_llm

namespace in_client {

extern State& state;
extern const DeliverySettings& settings;
extern const DeliveryPlan::Open& open;
extern Stream& stream;
extern const Member& another;
namespace of_sessions {
extern Sessions& sessions;
extern const SessionIdentity& identity;
extern const std::string& route;
extern const Member& member;
extern const CredentialUse* const credential;
extern const ReasonSet& mends;
extern const std::vector<std::string>& named_mends;
}  // namespace of_sessions
void ask(const Member&, const std::string&);
void deliver(const Event&);

namespace of_tool_loop {
extern Client& client;
}  // namespace of_tool_loop

namespace of_typed_tools {
struct LevelQuery {
  std::string tank;
};
BOOST_DESCRIBE_STRUCT(LevelQuery, (), (tank))
}  // namespace of_typed_tools

namespace of_structured {
extern Client& client;
struct Level {
  std::string tank;
  int percent;
};
BOOST_DESCRIBE_STRUCT(Level, (), (tank, percent))
}  // namespace of_structured

namespace of_shared_client {
extern const std::shared_ptr<ClientState>& state;
extern const Config& config;
}  // namespace of_shared_client

namespace of_delivery {
extern const std::shared_ptr<const Request>& request;
}  // namespace of_delivery

namespace in_detail::of_session_table {
extern const SessionHash& hash;
extern const Clock::time_point& now;
}  // namespace in_detail::of_session_table

}  // namespace in_client

namespace in_gateway {

using namespace understudy::gateway;

extern const CallRecord& record;
extern const Records& records;
extern ClientState& state;
extern std::vector<std::string>& queue;
extern unsigned& abandoned;

}  // namespace in_gateway

namespace in_testing {

using namespace understudy::testing;

extern State& state;
extern Stream& stream;
extern HttpClient& client;
extern TcpDialer& dialer;
extern const std::unique_ptr<Acceptor>& acceptor;
extern const testing::WholeAnswer& right;
asio::awaitable<void> ask_three_times(HttpClient&);
asio::awaitable<std::string> ask_with_a_limit_of_three_minutes();

}  // namespace in_testing
}  // namespace examples
