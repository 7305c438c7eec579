// A provider of your own behind one over HTTP: here a canned answer for the day on which nobody can be reached.
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>

#include "understudy/client/client.hpp"
#include "understudy/testing/refusing_port.hpp"

using namespace understudy;

/// What it says, event by event. Everything is there at once, so nobody waits in `ready`.
class Canned final : public llm::StreamSource {
 public:
  llm::Protocol protocol() const noexcept override { return llm::Protocol::openai_chat; }
  const llm::Event* try_next() override { return at_ < events_.size() ? &events_[at_++] : nullptr; }
  asio::awaitable<Result<bool>> ready() override { co_return at_ < events_.size(); }

 private:
  std::array<llm::Event, 4> events_{llm::Event(llm::Start("canned-1", "canned")),
                                    llm::Event(llm::Text(0, "Nobody can be reached. ")),
                                    llm::Event(llm::Text(0, "Please look at the gauge.")),
                                    llm::Event(llm::Finish(llm::FinishReason::stop, "stop"))};
  std::size_t at_ = 0;
};

class CannedProvider final : public llm::Provider {
 public:
  asio::awaitable<Result<llm::Stream>> open(const llm::Request&, Attempt& attempt) override {
    attempt.progressed();
    co_return llm::Stream(std::make_unique<Canned>());
  }
};

asio::awaitable<void> ask(const Config& config) {
  Client client(co_await asio::this_coro::executor, config, ClientState::make(config).value(),
                ClientOptions().with_provider("canned", std::make_shared<CannedProvider>()));
  llm::Request request;
  request.messages.emplace_back(llm::Role::user, "Is the north tank full?");
  const auto outcome = co_await client.complete(std::move(request));
  std::cout << outcome.result.value().text() << "\n" << outcome.report.why() << "\n";
  co_await client.close();
}

int main() {
  const testing::RefusingPort nobody;  // a provider that is down
  const auto config = parse_config(R"(
    [model]
    provider = "local"
    default = "qwen3"

    [[fallback_providers]]
    provider = "canned"
    model = "any"

    [providers.local]
    preset = "ollama"
    base_url = "http://127.0.0.1:)" + std::to_string(nobody.number()) +
                                       R"(/v1"

    [providers.canned]  # asked through the object above, so that the URL is never used
    protocol = "openai_chat"
    base_url = "http://localhost"
  )",
                                   "custom_provider.cpp")
                          .value();
  asio::io_context context;
  asio::co_spawn(context, ask(config), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);
    }
  });
  context.run();
}
