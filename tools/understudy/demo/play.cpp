#include "play.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "understudy/client/client.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/net/tcp.hpp"
#include "understudy/testing/fault_server.hpp"

namespace understudy::tool {
namespace {

using namespace std::chrono_literals;

/// For as long as a scenario: a token file that has expired.
class TokenFile {
 public:
  TokenFile() {
    std::string folder = std::filesystem::temp_directory_path() / "understudy-demo-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) {
      throw std::runtime_error("cannot make a folder for temporary files");
    }
    folder_ = folder;
    std::ofstream(path()) << R"({"access_token":"of-yesterday","refresh_token":"works-once"})";
  }
  TokenFile(const TokenFile&) = delete;
  TokenFile& operator=(const TokenFile&) = delete;
  ~TokenFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path() const { return folder_ / "tokens.json"; }

 private:
  std::filesystem::path folder_;
};

/// The types of the events of a stream, in order, each with how often it comes in a row.
std::string form_of(std::string_view stream) {
  constexpr std::string_view field = "event: ";
  std::string form;
  std::string_view last;
  std::size_t times = 0;
  const auto close = [&] {
    form += times == 0 ? "" : (form.empty() ? "" : ", ");
    form += times > 1 ? std::to_string(times) + " " : "";
    form += last;
  };
  while (!stream.empty()) {
    const auto line = stream.substr(0, stream.find('\n'));
    stream.remove_prefix(std::min(line.size() + 1, stream.size()));
    if (!line.starts_with(field)) {
      continue;
    }
    const auto type = line.substr(field.size());
    if (type != last) {
      close();
      times = 0;
    }
    last = type;
    ++times;
  }
  close();
  return form;
}

/// A provider and where it listens.
class Listening {
 public:
  explicit Listening(const asio::any_io_executor& executor)
      : acceptor(executor, asio::ip::address_v4::loopback(), 0) {}

  std::uint16_t port() const noexcept { return acceptor.port(); }
  asio::awaitable<void> serve() { return server.serve(acceptor); }

  testing::FaultServer server;
  TcpAcceptor acceptor;
};

class Play {
 public:
  Play(const Scenario& scenario, std::uint64_t seed, Audience& audience, Played& played,
       const asio::any_io_executor& executor)
      : scenario_(scenario),
        seed_(seed),
        audience_(audience),
        played_(played),
        lead_(executor),
        understudy_(executor),
        tokens_(executor) {
    scenario.script(lead_.server, understudy_.server);
    tokens_.server.reply(testing::Reply::page(
        200, "application/json", R"({"access_token":"fresh","refresh_token":"next"})"));
    if (scenario.refresh) {
      file_.emplace();
    }
  }

  asio::awaitable<void> run() {
    auto body = [this](Scope& scope) -> asio::awaitable<void> {
      for (auto* const one : {&lead_, &understudy_, &tokens_}) {
        auto serve = [one] { return one->serve(); };
        scope.spawn(std::move(serve));
      }
      co_await ask(co_await asio::this_coro::executor);
      co_await sleep_for(50ms);  // the providers notice who has gone
      look_around();
      scope.cancel(StopReason::shutdown);
    };
    co_await with_scope(std::move(body));
  }

 private:
  asio::awaitable<void> ask(asio::any_io_executor executor) {
    const auto nothing = [](const char*) -> const char* { return nullptr; };
    const auto text = configuration(scenario_, lead_.port(), understudy_.port(), tokens_.port(),
                                    file_ ? file_->path() : "");
    const auto config = parse_config(text, std::string(scenario_.name), nothing).value();
    state_ =
        ClientState::make(config, ClientStateOptions().with_environment(nothing).with_seed(seed_))
            .value();
    Client client(executor, config, state_, ClientOptions().with_observer(audience_));
    const auto began = Clock::now();
    co_await consume(client, began);
    played_.took = Clock::now() - began;
    co_await client.close();
  }

  /// Reads the answer, and goes away amid it where the scenario is about that.
  asio::awaitable<void> consume(Client& client, Clock::time_point began) {
    std::optional<Delivery> answer;
    auto body = [&](Scope& scope) -> asio::awaitable<void> {
      if (scenario_.cancel) {
        auto leave = [&]() -> asio::awaitable<void> {
          co_await sleep_for(700ms);
          scope.cancel(StopReason::cancelled);
        };
        scope.spawn(std::move(leave));
      }
      auto request = asked();
      answer.emplace(co_await client.stream(std::move(request), RequestOptions().with_retract()));
      co_await read(*answer, began);
    };
    try {
      co_await with_scope(std::move(body));
    } catch (const boost::system::system_error& stopped) {
      if (stopped.code() != StopReason::cancelled) {
        throw;
      }
      played_.ending = Ending::cancelled;
    }
    if (answer) {
      played_.report = answer->report();
    }
  }

  /// What the client asks. Makes the encoder if its answer is to have the form of its protocol.
  llm::Request asked() {
    llm::Request request;
    if (scenario_.request.empty()) {
      request.messages.emplace_back(llm::Role::user, "How does it go on?");
    } else {
      const auto& messages = llm::codec_for(llm::Protocol::anthropic_messages);
      request = messages.read_request(scenario_.request).value();
      encoder_ = messages.encoder(request);
    }
    return request;
  }

  asio::awaitable<void> read(Delivery& answer, Clock::time_point began) {
    while (true) {
      const auto more = co_await answer.ready();
      if (more.has_error()) {
        played_.ending = Ending::fails;
        played_.code = more.error().code();
        co_return;
      }
      if (!*more) {
        const auto* const by = answer.report().answer();
        played_.ending = by != nullptr && by->member.provider() == "anthropic"
                             ? Ending::lead_answers
                             : Ending::understudy_answers;
        if (encoder_) {
          played_.form = form_of(encoded_);
          audience_.delivered(played_.form);
        }
        co_return;
      }
      while (const llm::Event* event = answer.try_next()) {
        take(*event, began);
      }
    }
  }

  void take(const llm::Event& event, Clock::time_point began) {
    if (encoder_) {
      encoder_->write(event, encoded_);
    }
    if (const auto* said = std::get_if<llm::Text>(&event.body)) {
      if (played_.first_token == 0s) {
        played_.first_token = Clock::now() - began;
      }
      played_.text += said->text;
      audience_.said(said->text);
    } else if (std::holds_alternative<llm::Retract>(event.body)) {
      ++played_.retracts;
      played_.text.clear();
      audience_.taken_back();
    }
  }

  void look_around() {
    played_.open_connections =
        lead_.server.open_connections() + understudy_.server.open_connections();
    played_.understudy_requests = understudy_.server.requests();
    played_.anybody_marked = !state_->state().health().all_well();
  }

  const Scenario& scenario_;
  std::uint64_t seed_;
  Audience& audience_;
  Played& played_;
  Listening lead_;
  Listening understudy_;
  Listening tokens_;
  std::optional<TokenFile> file_;
  std::unique_ptr<llm::EventEncoder> encoder_;
  std::string encoded_;
  std::shared_ptr<ClientState> state_;
};

}  // namespace

std::string Played::complaint(const Scenario& scenario) const {
  if (ending != scenario.ending) {
    return "it ends with: " + std::string(to_string(ending)) +
           (code ? " (" + code.message() + ")" : "");
  }
  const auto wanted = ending == Ending::lead_answers         ? lead_says
                      : ending == Ending::understudy_answers ? understudy_says
                                                             : std::string_view();
  if (!wanted.empty() && text != wanted) {
    return "the answer is \"" + text + "\"";
  }
  if (!scenario.request.empty()) {
    if (understudy_requests != 1) {
      return "the understudy is asked " + std::to_string(understudy_requests) + " times";
    }
    if (report.answer()->losses.empty()) {
      return "no loss is named";
    }
    if (!form.starts_with("message_start") || !form.ends_with("message_stop")) {
      return "the client gets " + form;
    }
  }
  const auto first = report.attempts.empty() ? error_code() : report.attempts[0].failure.code();
  const error_code meant =
      scenario.first_failure ? error_code(*scenario.first_failure) : error_code();
  if (first != meant) {
    return "the first attempt: " + (first ? first.message() : std::string("answers"));
  }
  if (retracts != scenario.retracts) {
    return std::to_string(retracts) + " retractions";
  }
  if (open_connections > 0) {
    return std::to_string(open_connections) + " connections left open";
  }
  if (ending == Ending::cancelled && (understudy_requests > 0 || anybody_marked)) {
    return "a user that goes away is treated as a failure";
  }
  return {};
}

asio::awaitable<void> play(const Scenario& scenario, std::uint64_t seed, Audience& audience,
                           Played& played) {
  Play one(scenario, seed, audience, played, co_await asio::this_coro::executor);
  co_await one.run();
}

}  // namespace understudy::tool
