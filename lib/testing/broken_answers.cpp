#include "understudy/testing/broken_answers.hpp"

#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "client/folding.hpp"
#include "client_check.hpp"
#include "drawn_reply.hpp"
#include "gateway/answer_bytes.hpp"
#include "run_seeds.hpp"
#include "understudy/client/delivery.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/memory_network.hpp"
#include "understudy/testing/scripted_resolver.hpp"
#include "understudy/testing/virtual_time.hpp"

namespace understudy::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_attempts_a_member = 4;  // with two retries and one mended request

class BrokenAnswer final {
 public:
  BrokenAnswer(std::uint64_t seed, std::ostream* log)
      : dice_(seed),
        network_(std::make_shared<MemoryNetwork>(context_.get_executor())),
        client_(context_.get_executor(), HttpClientOptions().with_dialer(network_).with_resolver(
                                             std::make_shared<ScriptedResolver>())),
        state_(BudgetSettings(), seed),
        right_(draw_answer(dice_)),
        check_(right_),
        speaks_(llm::protocols[dice_.pick(llm::protocols.size())]),
        client_check_(speaks_, right_),
        log_(log) {
    draw_chain();
    draw_settings();
    result_.calls = 1;
  }

  Schedule run() {
    note([&](std::ostream& out) {
      out << "the client speaks " << to_string(speaks_) << "; right: [" << right_.thought << "] "
          << right_.text;
      for (const auto& call : right_.calls) {
        out << "\n    " << call.name << call.arguments;
      }
    });
    try {
      time_.run(context_, whole());
    } catch (const std::exception& error) {
      complain(std::string("it threw: ") + error.what());
    }
    result_.complaint += check_.complaint() + client_check_.complaint();
    return std::move(result_);
  }

 private:
  void complain(const std::string& what) {
    note([&](std::ostream& out) { out << "WRONG: " << what; });
    testing::complain(result_, what);
  }

  template <class Write>
  void note(Write write) {
    if (log_ != nullptr) {
      *log_ << std::chrono::duration<double>(time_.elapsed()).count() << " s: ";
      write(*log_);
      *log_ << '\n';
    }
  }

  void trace(std::uint64_t value) { testing::trace(result_, value); }

  // --- drawing ---------------------------------------------------------------------------------

  void draw_chain() {
    const auto members = 2 + dice_.pick(3);
    for (std::size_t i = 0; i < members; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      const auto port = static_cast<std::uint16_t>(8000 + i);
      const auto url = "http://" + name + ".test:" + std::to_string(port);
      acceptors_.push_back(network_->listen(port));
      servers_.emplace_back().reply_to("m", [this, i](const SeenRequest&) { return reply(i); });
      const auto protocol = llm::protocols[dice_.pick(llm::protocols.size())];
      providers_.emplace_back(client_,
                              llm::HttpProviderOptions(name, protocol, parse_url(url).value()));
      chain_.push_back(Member(name, "m").with_base_url(url));
      takes_prefill_.push_back(dice_.chance(30));
      note([&](std::ostream& out) {
        out << name << " speaks " << to_string(protocol)
            << (takes_prefill_.back() ? ", takes a prefill" : "");
      });
    }
  }

  void draw_settings() {
    const auto stall = StallSettings().with_first_progress(2s).with_stale(2s);
    policy_.with_stall(stall).with_backoff(BackoffSettings(1ms, 1ms));
    settings_.with_on_partial(OnPartial::resume)
        .with_max_resumes(static_cast<unsigned>(dice_.pick(5)));
    if (dice_.chance(20)) {
      settings_.with_commit(dice_.chance(80) ? Commit::after(50ms) : Commit::whole());
    }
    if (dice_.chance(5)) {
      leaves_after_ = dice_.pick(30);
    }
  }

  // --- what the providers do -------------------------------------------------------------------

  std::size_t place_of(const Member& member) const {
    return static_cast<std::size_t>(member.provider()[0] - 'a');
  }

  bool begun() const { return detail::white_prefix(check_.text()) < check_.text().size(); }

  Reply reply(std::size_t place) {
    if (check_.complete_calls() > 0) {
      complain("a provider is asked after a complete tool call was shown");
    }
    if (gone_) {
      complain("a provider is asked for a consumer that has gone");
    }
    const bool prefilled = prefilled_;
    const bool goes_on = begun() && check_.complaint().empty();
    auto manner = goes_on ? draw_manner(dice_, prefilled) : Manner::whole;
    if (manner == Manner::calls_alone && prefilled && right_.calls.empty()) {
      manner = Manner::exact;  // an empty answer to a prefill says that nothing is left to say
    }
    auto reply = draw_reply(dice_, manner, right_, check_.text(), prefilled);
    const auto repetition = draw_repetition(dice_, reply);
    const auto fault = draw_fault(dice_, reply, begun() ? 40 : 80);
    note([&](std::ostream& out) {
      out << chain_[place].name() << " says " << to_string(manner) << repetition << ", " << fault
          << ':';
      for (const auto& said : reply.said) {
        out << " [" << said.text << ']';
      }
    });
    return reply;
  }

  // --- running ---------------------------------------------------------------------------------

  asio::awaitable<void> whole() {
    auto body = [&](Scope& scope) -> asio::awaitable<void> {
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        auto serve = [this, i] { return servers_[i].serve(*acceptors_[i]); };
        scope.spawn(std::move(serve));
      }
      co_await call();
      gone_ = true;
      // The servers notice closed connections. Not at the moment at which the pool drops an idle one, which they notice
      // later: all other times are whole milliseconds.
      co_await sleep_for(100ms + 1us);
      check_connections();
      client_.close();
      scope.cancel(StopReason::shutdown);
    };
    co_await with_scope(std::move(body));
  }

  asio::awaitable<void> call() {
    request_.messages.emplace_back(llm::Role::user, "Is the north tank full?");
    auto open = [this](const llm::Request& asked, Attempt& attempt) {
      check_request(asked, attempt.member());
      return providers_[place_of(attempt.member())].open(asked, attempt);
    };
    DeliveryPlan plan(chain_, policy_, settings_, state_,
                      std::make_shared<const llm::Request>(request_), std::move(open));
    plan.with_prefill([this](const Member& member) { return takes_prefill_[place_of(member)]; });
    auto delivery = co_await deliver(std::move(plan));
    co_await read(delivery);
    result_.attempts = delivery.report().attempts.size();
    if (result_.attempts > chain_.size() * most_attempts_a_member * (settings_.max_resumes + 1)) {
      complain("it made " + std::to_string(result_.attempts) + " attempts");
    }
    note([&](std::ostream& out) { out << delivery.report().to_text(); });
  }

  asio::awaitable<void> read(Delivery& delivery) {
    const auto encoder = llm::codec_for(speaks_).encoder(request_);
    std::optional<gateway::detail::AnswerBytes> bytes;
    while (true) {
      const auto more = co_await delivery.ready();
      trace(static_cast<std::uint64_t>(time_.elapsed().count()));
      if (more.has_error() || !*more) {
        ended(delivery, more);
        tell_end(*encoder, more);
        co_return;
      }
      if (!bytes) {
        bytes.emplace(delivery, speaks_, llm::CarriedSeals(request_), *encoder);
      }
      while (const llm::Event* event = delivery.try_next()) {
        take(*event);
        written_.clear();
        bytes->append(*event, written_);
        client_check_.take(written_);
        if (++shown_ > leaves_after_) {
          note([](std::ostream& out) { out << "the consumer goes away"; });
          ++result_.cancelled;
          co_return;
        }
      }
    }
  }

  void take(const llm::Event& event) {
    if (std::exchange(asked_, false) && shown_ > 0 && ++rescues_ > settings_.max_resumes) {
      complain("it is rescued too often");
    }
    const auto said = check_.text().size();
    check_.take(event);
    if (const auto* finish = std::get_if<llm::Finish>(&event.body);
        finish != nullptr && finish->inferred && check_.complete_calls() > 0) {
      client_check_.ends_after(check_.complete_calls());
    }
    terminal_ = terminal_ || std::holds_alternative<llm::End>(event.body);
    trace(event.body.index());
    trace(std::hash<std::string_view>()(std::string_view(check_.text()).substr(said)));
    note([&](std::ostream& out) {
      out << "shown: event " << event.body.index() << ' ' << check_.text().substr(said);
    });
  }

  void ended(const Delivery& delivery, const Result<bool>& end) {
    check_.end(end.has_value());
    if (end.has_error() && end.error().code() == FailoverReason::unknown) {
      complain("it failed without a reason");
    }
    end.has_value() ? ++result_.answered : ++result_.failed;
    result_.resumed += end.has_value() && delivery.resumed() ? 1 : 0;
    trace(result_.answered);
  }

  /// As a gateway does.
  void tell_end(llm::EventEncoder& encoder, const Result<bool>& end) {
    written_.clear();
    if (end.has_error()) {
      encoder.write(llm::Event(llm::Error("overloaded_error", "", end.error().message())),
                    written_);
    } else if (!terminal_) {
      encoder.write(llm::Event(llm::End()), written_);
    }
    client_check_.take(written_);
    client_check_.end(end.has_value());
  }

  // --- checking --------------------------------------------------------------------------------

  /// What is asked of a member is the request, alone or with what was shown of the answer, all of it.
  void check_request(const llm::Request& asked, const Member& member) {
    asked_ = true;
    prefilled_ = false;
    if (!begun()) {
      if (asked.messages.size() != 1 || asked.messages.back().parts.size() != 1) {
        complain(member.name() + " is asked to go on with nothing");
      }
      return;
    }
    const auto& last = asked.messages.back();
    const auto* const part =
        last.parts.empty() ? nullptr : std::get_if<llm::TextPart>(&last.parts.back());
    const auto& said = check_.text();
    const auto trimmed = std::string_view(said).substr(0, detail::white_suffix(said));
    prefilled_ = last.role == llm::Role::assistant;
    const bool start_over = asked.messages.size() == 1;
    const bool right = part != nullptr &&
                       (prefilled_ ? takes_prefill_[place_of(member)] && part->text == trimmed
                                   : start_over || (last.role == llm::Role::user &&
                                                    part->text.find(said) != std::string::npos));
    if (!right) {
      complain(member.name() + " is not told what was shown");
    }
  }

  void check_connections() {
    std::size_t open = 0;
    for (const auto& server : servers_) {
      open += server.open_connections();
      trace(server.requests());
      for (const auto& connection : server.connections()) {
        if (!connection.complaint.empty()) {
          complain("a request could not be read: " + connection.complaint);
        }
      }
    }
    if (open > client_.idle_connections()) {
      complain(std::to_string(open) + " connections are open, and " +
               std::to_string(client_.idle_connections()) + " idle");
    }
  }

  VirtualTime time_;
  asio::io_context context_;
  Dice dice_;
  std::shared_ptr<MemoryNetwork> network_;
  HttpClient client_;
  State state_;
  std::deque<FaultServer> servers_;
  std::deque<llm::HttpProvider> providers_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<bool> takes_prefill_;
  Chain chain_;
  Policy policy_;
  DeliverySettings settings_;
  llm::Request request_{"what the client calls it"};
  WholeAnswer right_;
  AnswerCheck check_;
  llm::Protocol speaks_;  // the client of a gateway that delivers this answer
  ClientCheck client_check_;
  std::string written_;                                      // to it, last
  bool terminal_ = false;                                    // the answer's own
  std::size_t leaves_after_ = static_cast<std::size_t>(-1);  // events
  std::size_t shown_ = 0;                                    // the same
  bool prefilled_ = false;  // the member that was asked last got a prefill
  bool asked_ = false;      // somebody was asked since the last one was shown
  unsigned rescues_ = 0;
  bool gone_ = false;
  std::ostream* log_;
  Schedule result_;
};

}  // namespace

Schedule simulate_broken_answer(std::uint64_t seed, std::ostream* log) {
  return BrokenAnswer(seed, log).run();
}

SimulationResult simulate_broken_answers(std::uint64_t first, std::uint64_t count,
                                         unsigned threads) {
  return run_seeds(first, count, threads, simulate_broken_answer);
}

}  // namespace understudy::testing
