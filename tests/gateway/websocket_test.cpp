// Responses over a WebSocket: what Codex's built-in provider and SDKs ask, through the whole gateway.
#include "understudy/net/websocket.hpp"

#include <simdjson.h>

#include "gateway_world.hpp"

namespace websocket_test {

using namespace gateway_test;

/// A client's side of a connection, which shares nothing with the library's codec.
class Socket {
 public:
  explicit Socket(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {}

  awaitable<void> write(std::string bytes) {
    std::string_view left = bytes;
    while (!left.empty()) {
      const auto written = stream_->try_write(left);
      if (written.code == asio::error::would_block) {
        co_await stream_->wait_writable();
      } else if (written.code) {
        co_return;
      } else {
        left.remove_prefix(written.bytes);
      }
    }
  }

  /// The head of the answer to the handshake.
  awaitable<std::string> upgrade(const std::string& more = {}) {
    co_await write(
        "GET /v1/responses HTTP/1.1\r\nhost: gateway.localhost:9000\r\nconnection: Upgrade\r\n"
        "upgrade: websocket\r\nsec-websocket-version: 13\r\n"
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        more + "\r\n");
    while (received_.find("\r\n\r\n") == std::string::npos && !ended_) {
      co_await read();
    }
    const auto end = std::min(received_.find("\r\n\r\n"), received_.size());
    auto head = received_.substr(0, end);
    received_.erase(0, end + 4);
    co_return head;
  }

  awaitable<void> send(unsigned opcode, std::string_view payload) {
    std::string frame(1, static_cast<char>(0x80U | opcode));
    if (payload.size() < 126) {
      frame += static_cast<char>(0x80U | payload.size());
    } else {
      frame += static_cast<char>(0xFE);
      frame += static_cast<char>(payload.size() >> 8U);
      frame += static_cast<char>(payload.size() & 0xFFU);
    }
    frame += std::string(4, '\x0F');
    for (const char c : payload) {
      frame += static_cast<char>(c ^ 0x0F);
    }
    co_await write(std::move(frame));
  }

  /// The next frame: opcode and payload. Opcode 0: the connection has ended.
  awaitable<std::pair<unsigned, std::string>> next() {
    while (true) {
      const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(received_[at]); };
      if (received_.size() >= 2) {
        std::size_t size = byte(1);
        std::size_t head = 2;
        if (size == 126 && received_.size() >= 4) {
          size = static_cast<std::size_t>(byte(2)) << 8U | byte(3);
          head = 4;
        }
        if (size != 126 && received_.size() >= head + size) {
          std::pair<unsigned, std::string> frame(byte(0) & 0x0FU, received_.substr(head, size));
          received_.erase(0, head + size);
          co_return frame;
        }
      }
      if (ended_) {
        co_return std::pair<unsigned, std::string>(0, "");
      }
      co_await read();
    }
  }

  /// The types of the events of one response, up to its last one.
  awaitable<std::vector<std::string>> response() {
    std::vector<std::string> types;
    text.clear();
    while (true) {
      const auto [opcode, payload] = co_await next();
      if (opcode != 1) {
        if (opcode == 9) {
          ++pings;
          continue;
        }
        types.push_back("frame " + std::to_string(opcode));
        co_return types;
      }
      simdjson::dom::parser parser;
      const auto json = parser.parse(simdjson::padded_string(payload));
      const auto type = std::string(std::string_view(json["type"]));
      std::string_view delta;
      if (json["delta"].get(delta) == simdjson::SUCCESS) {
        text += delta;
      }
      std::string_view name;
      if (json["response"]["id"].get(name) == simdjson::SUCCESS) {
        id = name;
      }
      last = payload;
      types.push_back(type);
      if (type == "response.completed" || type == "response.incomplete" ||
          type == "response.failed" || type == "error") {
        co_return types;
      }
    }
  }

  void cut() { stream_->abort(); }

  std::string text;
  std::string id;
  std::string last;
  int pings = 0;

 private:
  awaitable<void> read() {
    std::array<char, 4096> buffer{};
    const auto got = stream_->try_read(buffer);
    if (got.code == asio::error::would_block) {
      co_await stream_->wait_readable();
    } else if (got.code) {
      ended_ = true;
    } else {
      received_.append(buffer.data(), got.bytes);
    }
  }

  std::unique_ptr<ByteStream> stream_;
  std::string received_;
  bool ended_ = false;
};

const char* const two_members = R"(
[model]
provider = "first"
default = "big"
[[fallback_providers]]
provider = "second"
model = "claude"
[providers.first]
protocol = "openai_responses"
base_url = "http://first.test:8001/v1"
[providers.second]
protocol = "anthropic_messages"
base_url = "http://second.test:8002"
)";

class World : public GatewayWorld {
 public:
  awaitable<Socket> connect() {
    Addresses any;
    auto connected = co_await network->dial(std::move(any), 9000);
    co_return Socket(std::move(connected).value());
  }
};

std::string create(const std::string& question, const std::string& more = {}) {
  return R"({"type":"response.create","model":"any","store":false)" + more +
         R"(,"input":[{"role":"user","content":")" + question + "\"}]}";
}

std::string last_body(const FaultServer& server) {
  return server.connections().back().requests.back().body;
}

TEST_CASE("a response over a WebSocket, then one that continues it") {
  World world;
  auto& first = world.add();
  world.add();
  world.serve(world.config(two_members), [&](HttpClient&) -> awaitable<void> {
    auto socket = co_await world.connect();
    const auto head = co_await socket.upgrade();
    CHECK(head.starts_with("HTTP/1.1 101 "));
    CHECK(head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos);
    co_await socket.send(1, create("Is it full?"));
    const auto events = co_await socket.response();
    CHECK(events.front() == "response.created");
    CHECK(events.back() == "response.completed");
    CHECK(socket.text == ten);
    co_await socket.send(1, create("Really?", R"(,"previous_response_id":")" + socket.id + "\""));
    const auto more = co_await socket.response();
    CHECK(more.back() == "response.completed");
    socket.cut();
  });
  const auto body = last_body(first);
  CHECK(body.find("previous_response_id") == std::string::npos);
  CHECK(body.find("Is it full?") != std::string::npos);
  CHECK(body.find("one two three") != std::string::npos);
  CHECK(body.find("Really?") != std::string::npos);
  CHECK(body.find("\"type\":\"response.create\"") == std::string::npos);
}

TEST_CASE("a member of another protocol takes over, and continues the conversation") {
  World world;
  auto& first = world.add();
  auto& second = world.add();
  first.reply(Reply::status(503, "overloaded"));
  world.serve(world.config(two_members), [&](HttpClient&) -> awaitable<void> {
    auto socket = co_await world.connect();
    co_await socket.upgrade();
    co_await socket.send(1, create("Is it full?"));
    const auto events = co_await socket.response();
    CHECK(events.back() == "response.completed");
    CHECK(socket.text == ten);
    co_await socket.send(1, create("Really?", R"(,"previous_response_id":")" + socket.id + "\""));
    const auto more = co_await socket.response();
    CHECK(more.back() == "response.completed");
    socket.cut();
  });
  const auto body = last_body(second);
  CHECK(body.find("Is it full?") != std::string::npos);
  CHECK(body.find("one two three") != std::string::npos);
  CHECK(body.find("Really?") != std::string::npos);
}

TEST_CASE("an error is an event, and the connection goes on") {
  World world;
  auto& first = world.add();
  auto& second = world.add();
  first.reply(
      Reply::status(400, R"({"error":{"message":"bad input","type":"invalid_request_error"}})"));
  first.reply(Reply::answer());
  world.serve(world.config(two_members), [&](HttpClient&) -> awaitable<void> {
    auto socket = co_await world.connect();
    co_await socket.upgrade();
    for (const auto* wrong : {"", "hello", "{}", R"({"type":"response.cancel"})",
                              R"({"type":"response.create","model":5})"}) {
      CAPTURE(wrong);
      co_await socket.send(1, wrong);
      const auto events = co_await socket.response();
      CHECK(events == std::vector<std::string>{"error"});
      CHECK(socket.last.find("\"status\":400") != std::string::npos);
    }
    co_await socket.send(1, create("Go on", R"(,"previous_response_id":"resp_unknown")"));
    const auto unknown = co_await socket.response();
    CHECK(unknown == std::vector<std::string>{"error"});
    CHECK(socket.last.find("previous_response_not_found") != std::string::npos);
    auto own_model = create("Is it full?");
    own_model.replace(own_model.find("any"), 3, "big");
    co_await socket.send(1, own_model);
    const auto refused = co_await socket.response();
    CHECK(refused == std::vector<std::string>{"error"});
    CHECK(socket.last.find("bad input") != std::string::npos);
    co_await socket.send(1, create("Is it full?"));
    const auto good = co_await socket.response();
    CHECK(good.back() == "response.completed");
    socket.cut();
  });
  CHECK(second.requests() == 0);
}

TEST_CASE(
    "several requests at once are answered one after the other; a flood closes the connection") {
  World world;
  auto& first = world.add();
  world.add();
  world.serve(world.config(two_members), [&](HttpClient&) -> awaitable<void> {
    auto socket = co_await world.connect();
    co_await socket.upgrade();
    co_await socket.send(1, create("One?"));
    co_await socket.send(1, create("Two?"));
    for (int i = 0; i < 2; ++i) {
      const auto events = co_await socket.response();
      CHECK(events.front() == "response.created");
      CHECK(events.back() == "response.completed");
      CHECK(socket.text == ten);
    }
    for (int i = 0; i < 20; ++i) {
      co_await socket.send(1, create("Again?"));
    }
    std::string ended;
    while (ended.empty()) {
      const auto events = co_await socket.response();
      ended = events.back().starts_with("frame") ? events.back() : "";
    }
    CHECK(ended == "frame 8");
  });
  CHECK(first.requests() >= 2);
}

TEST_CASE("pings are answered while a response is written, and heartbeats are pings") {
  World world;
  auto& first = world.add();
  world.add();
  first.reply(Reply::answer().dripping(20s));
  world.serve(world.config(std::string(two_members) + "[stall]\nstale = \"300s\"\n"),
              [&](HttpClient&) -> awaitable<void> {
                auto socket = co_await world.connect();
                co_await socket.upgrade();
                co_await socket.send(1, create("Is it full?"));
                co_await sleep_for(5s);
                co_await socket.send(9, "are you there");
                unsigned opcode = 1;
                std::string payload;
                while (opcode == 1 || opcode == 9) {
                  auto frame = co_await socket.next();
                  opcode = frame.first;
                  payload = frame.second;
                }
                CHECK(opcode == 10);
                CHECK(payload == "are you there");
                const auto events = co_await socket.response();
                CHECK(events.back() == "response.completed");
                CHECK(socket.pings > 0);
                socket.cut();
              });
}

TEST_CASE(
    "a client that leaves cancels its response; an idle connection is closed, and so is one at the "
    "end") {
  World world;
  auto& first = world.add();
  world.add();
  first.reply(Reply::answer().dripping(10s)).reply(Reply::answer());
  world.serve(world.config(two_members), [&](HttpClient&) -> awaitable<void> {
    auto gone = co_await world.connect();
    co_await gone.upgrade();
    co_await gone.send(1, create("Is it full?"));
    co_await sleep_for(1s);
    gone.cut();
    co_await sleep_for(1s);
    CHECK(first.open_connections() == 0);
    auto idle = co_await world.connect();
    co_await idle.upgrade();
    const auto began = Clock::now();
    const auto closed = co_await idle.next();
    CHECK(closed.first == 8);
    CHECK(Clock::now() - began >= 75s);
    CHECK(Clock::now() - began < 90s);
    auto drained = co_await world.connect();
    co_await drained.upgrade();
    world.running->drain();
    const auto ended = co_await drained.next();
    CHECK(ended.first == 8);
    CHECK(ended.second.substr(0, 2) == "\x03\xE9");
  });
}

TEST_CASE("a warm-up is answered without a provider") {
  World world;
  auto& first = world.add();
  world.add();
  world.serve(world.config(two_members), [&](HttpClient&) -> awaitable<void> {
    auto socket = co_await world.connect();
    co_await socket.upgrade();
    co_await socket.send(1, create("Instructions", R"(,"generate":false)"));
    const auto warm = co_await socket.response();
    CHECK(warm == std::vector<std::string>{"response.created", "response.completed"});
    CHECK(first.requests() == 0);
    co_await socket.send(1,
                         create("Is it full?", R"(,"previous_response_id":")" + socket.id + "\""));
    const auto events = co_await socket.response();
    CHECK(events.back() == "response.completed");
    socket.cut();
  });
  CHECK(last_body(first).find("Instructions") != std::string::npos);
}

TEST_CASE("handshakes that are not valid, and protocols that have no WebSocket") {
  World world;
  world.add();
  world.add();
  world.serve(world.config(two_members), [&](HttpClient& http) -> awaitable<void> {
    HttpRequest request("GET", "/v1/responses");
    request.with_header("connection", "Upgrade").with_header("upgrade", "websocket");
    const auto got = co_await send(http, std::move(request));
    CHECK(got.status == 426);
    CHECK(got.has("handshake"));
    HttpRequest messages("GET", "/v1/messages");
    messages.with_header("connection", "Upgrade").with_header("upgrade", "websocket");
    const auto other = co_await send(http, std::move(messages));
    CHECK(other.status == 426);
  });
}

TEST_CASE("a gateway that has it switched off") {
  World off;
  off.add();
  off.add();
  off.serve(off.config(std::string(two_members) + "[server]\nwebsocket = false\n"),
            [&](HttpClient&) -> awaitable<void> {
              auto socket = co_await off.connect();
              const auto head = co_await socket.upgrade();
              CHECK(head.starts_with("HTTP/1.1 426 "));
            });
}

TEST_CASE("a page of another site opens no WebSocket") {
  World world;
  auto& first = world.add();
  world.add();
  world.serve(world.config(two_members), [&](HttpClient&) -> awaitable<void> {
    auto page = co_await world.connect();
    const auto head = co_await page.upgrade("origin: https://evil.example\r\n");
    CHECK(head.starts_with("HTTP/1.1 403 "));
  });
  CHECK(first.requests() == 0);
}

TEST_CASE("a WebSocket needs a key like every other request") {
  World world;
  world.add();
  world.add();
  world.serve(world.config(std::string(two_members) + "[server]\nkeys = [\"right\"]\n"),
              [&](HttpClient&) -> awaitable<void> {
                auto without = co_await world.connect();
                const auto refused = co_await without.upgrade();
                CHECK(refused.starts_with("HTTP/1.1 401 "));
                auto with = co_await world.connect();
                const auto taken = co_await with.upgrade("authorization: Bearer right\r\n");
                CHECK(taken.starts_with("HTTP/1.1 101 "));
                with.cut();
              });
}

}  // namespace websocket_test
