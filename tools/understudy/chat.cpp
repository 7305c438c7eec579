// `understudy chat`: one question to a chain, from the command line.
#include <unistd.h>

#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "command.hpp"
#include "configured.hpp"
#include "run_until_stopped.hpp"
#include "terminal.hpp"
#include "understudy/client/client.hpp"
#include "understudy/runtime/race.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::tool {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_prompt = std::size_t{16} * 1024 * 1024;

struct ChatOptions {
  std::string prompt;
  std::string config;
  std::string model;
  std::string system;
  bool why = false;
  bool json = false;
};

/// Shows on a terminal what a call waits for, and where it goes on.
class Progress final : public Observer {
 public:
  explicit Progress(Terminal& out) : out_(out) {}

  void attempt_began(const AttemptReport& attempt) override {
    member_ = attempt.member.name();
    since_ = Clock::now();
    heartbeats_ = 0;
    waiting_ = true;
  }
  void heartbeat_heard(const AttemptReport&) override { ++heartbeats_; }
  void attempt_progressed(const AttemptReport&) override { waiting_ = false; }
  void attempt_ended(const AttemptReport& attempt) override {
    if (!attempt.answered()) {
      note(attempt);
    }
  }
  void answer_broke(const AttemptReport& attempt) override { note(attempt); }

  /// Until it is cancelled.
  asio::awaitable<void> keep_showing() {
    while (true) {
      co_await sleep_for(500ms);
      if (waiting_ && Clock::now() - since_ >= 1s) {
        out_.status(member_ + ": " + spoken(Clock::now() - since_) + " without a token, " +
                    std::to_string(heartbeats_) + " heartbeats");
      }
    }
  }

 private:
  void note(const AttemptReport& attempt) {
    waiting_ = false;
    if (out_.interactive()) {
      out_.line(attempt.member.name() + ": " + to_string(attempt.failure), Colour::dim);
    }
  }

  Terminal& out_;
  std::string member_;
  Clock::time_point since_;
  std::uint64_t heartbeats_ = 0;
  bool waiting_ = false;
};

/// One question, and what came of it.
class Question {
 public:
  Question(const ChatOptions& options, const Config& config, std::shared_ptr<ClientState> state)
      : options_(options),
        config_(config),
        state_(std::move(state)),
        out_(Terminal::standard_output()),
        errors_(Terminal::standard_error()),
        progress_(errors_) {}

  asio::awaitable<void> ask() {
    const Asking asking(*this);
    Client client(co_await asio::this_coro::executor, config_, state_,
                  ClientOptions().with_observer(progress_));
    llm::Request request(options_.model);
    if (!options_.system.empty()) {
      request.system.emplace_back(options_.system);
    }
    request.messages.emplace_back(llm::Role::user, options_.prompt);
    RequestOptions how;
    // What stands on a terminal can be taken back in words; what went into a pipe cannot.
    how.can_retract = options_.json || out_.interactive();
    auto answer = [&]() -> asio::awaitable<void> {
      answer_.emplace(co_await client.stream(std::move(request), how));
      co_await read();
    };
    auto show = [&] { return progress_.keep_showing(); };
    co_await race(std::move(answer), std::move(show));
    co_await client.close();
  }

  int result(bool stopped) {
    if (options_.json) {
      write_json(report_, stopped);
    } else if (!text_.empty()) {
      out_.line("");
    }
    if (stopped) {
      return interrupted;
    }
    if (failure_ && !options_.json) {
      errors_.line("understudy chat: " + to_string(*failure_), Colour::red);
    }
    if (options_.why && !options_.json) {
      errors_.write(report_.to_text(), Colour::dim);
    }
    return failure_ ? failed : done;
  }

 private:
  /// However asking ends, the answer must not outlive its io_context.
  class Asking {
   public:
    explicit Asking(Question& question) noexcept : question_(question) {}
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    ~Asking() {
      if (question_.answer_) {
        question_.report_ = question_.answer_->report();
        question_.answer_.reset();
      }
    }

   private:
    Question& question_;
  };

  asio::awaitable<void> read() {
    while (true) {
      const auto more = co_await answer_->ready();
      if (more.has_error()) {
        failure_ = more.error();
        co_return;
      }
      if (!*more) {
        co_return;
      }
      while (const llm::Event* event = answer_->try_next()) {
        take(*event);
      }
    }
  }

  void take(const llm::Event& event) {
    if (const auto* said = std::get_if<llm::Text>(&event.body)) {
      text_ += said->text;
      if (!options_.json) {
        out_.write(said->text);
      }
    } else if (std::holds_alternative<llm::Retract>(event.body)) {
      text_.clear();
      if (!options_.json) {
        out_.line("\n[The answer broke off and is void. Restarting:]\n", Colour::dim);
      }
    }
  }

  void write_json(const CallReport& report, bool stopped) const {
    std::string out;
    JsonWriter json(out);
    json.begin_object()
        .member("outcome", stopped    ? "interrupted"
                           : failure_ ? std::string_view("failed")
                                      : std::string_view("answered"))
        .member("text", text_);
    if (failure_) {
      json.member("failure", to_string(*failure_));
    }
    json.key("report").raw(report.to_json()).end_object();
    std::cout << out << "\n";
  }

  const ChatOptions& options_;
  const Config& config_;
  std::shared_ptr<ClientState> state_;
  Terminal out_;
  Terminal errors_;
  Progress progress_;
  std::optional<Delivery> answer_;
  CallReport report_;
  std::string text_;
  std::optional<Failure> failure_;
};

/// All of standard input; nothing where it is too long.
std::optional<std::string> read_prompt() {
  std::string text(longest_prompt + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  return text.size() > longest_prompt ? std::nullopt : std::optional(std::move(text));
}

int chat(ChatOptions options) {
  const auto setup = configured(options.config);
  if (setup.has_error()) {
    std::cerr << to_string(setup.error()) << "\n";
    return bad_usage;
  }
  if (options.prompt.empty()) {
    if (::isatty(STDIN_FILENO) == 1) {
      std::cerr << "Enter your question, then press Ctrl-D:\n";
    }
    auto prompt = read_prompt();
    if (!prompt || prompt->empty()) {
      std::cerr << "understudy chat: "
                << (prompt ? "no question: pass it as an argument or on standard input"
                           : "the question is longer than 16 MiB")
                << "\n";
      return bad_usage;
    }
    options.prompt = std::move(*prompt);
  }
  Question question(options, setup->config, setup->state);
  auto ask = [&] { return question.ask(); };
  const bool ended = run_until_stopped(std::move(ask));
  return question.result(!ended);
}

}  // namespace

Command chat_command(CLI::App& program) {
  auto options = std::make_shared<ChatOptions>();
  auto* const app = program.add_subcommand(
      "chat",
      "Asks the configured chain one question and prints the answer as it arrives.\n"
      "Exit code 1: no member could answer; 2: the configuration is invalid, or there is no "
      "question;\n"
      "130: interrupted.");
  app->add_option("prompt", options->prompt, "The question; default: standard input");
  app->add_option("--config", options->config, "TOML, see examples/understudy.toml")->required();
  app->add_option("--model", options->model,
                  "The model of a route in the configuration; default: the main chain");
  app->add_option("--system", options->system, "Instructions for the model");
  app->add_flag("--why", options->why, "Prints at the end which members were asked, and why");
  app->add_flag("--json", options->json, "Prints one JSON object, with the report");
  return {app, [options] { return chat(*options); }};
}

}  // namespace understudy::tool
