#include "understudy/gateway/records.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace understudy;
using namespace understudy::gateway;

namespace {

CallRecord record(std::string id) {
  CallRecord call(std::move(id), "/v1/messages", llm::Protocol::anthropic_messages);
  call.status = 200;
  call.prompt = "a question";
  return call;
}

class HeardLog final : public Log {
 public:
  void call_ended(const CallRecord& call) override { heard.push_back(call.id + " " + call.prompt); }
  void config_applied() override { heard.emplace_back("applied"); }
  void config_rejected(const ConfigErrors& errors) override { heard.push_back(errors.file); }
  void warning(std::string_view text) override { heard.emplace_back(text); }

  std::vector<std::string> heard;
};

class HeardMetrics final : public Metrics {
 public:
  void attempt_ended(const AttemptReport& attempt) override {
    heard.push_back(attempt.member.name());
  }
  void answer_broke(const AttemptReport& attempt) override {
    heard.push_back(attempt.member.name() + " broke");
  }
  void call_ended(const CallRecord& call) override { heard.push_back(call.id); }
  void config_reloaded(bool applied) override {
    heard.emplace_back(applied ? "applied" : "rejected");
  }

  std::vector<std::string> heard;
};

class BrokenLog final : public Log {
 public:
  void call_ended(const CallRecord&) override { throw std::runtime_error("disk full"); }
  void warning(std::string_view) override { throw std::runtime_error("disk full"); }
};

class BrokenMetrics final : public Metrics {
 public:
  void attempt_ended(const AttemptReport&) override { throw std::runtime_error("no memory"); }
  void call_ended(const CallRecord&) override { throw std::runtime_error("no memory"); }
};

}  // namespace

TEST_CASE("each fact goes to the log and the metrics that want it") {
  const auto log = std::make_shared<HeardLog>();
  const auto metrics = std::make_shared<HeardMetrics>();
  Records records(RecordsOptions().with_log(log).with_metrics(metrics));
  const AttemptReport attempt(Member("anthropic", "m"), AttemptKind::plain, {});
  records.attempt_ended(attempt);
  records.answer_broke(attempt);
  records.call_began();
  records.call_ended(record("req_1"));
  records.config_applied();
  records.config_rejected(ConfigErrors{"gateway.toml", {}});
  records.warning("a token file cannot be written");
  CHECK(log->heard == std::vector<std::string>{"req_1 a question", "applied", "gateway.toml",
                                               "a token file cannot be written"});
  CHECK(metrics->heard == std::vector<std::string>{"anthropic/m", "anthropic/m broke", "req_1",
                                                   "applied", "rejected"});
}

TEST_CASE("the latest calls are kept, without their prompts") {
  Records records;
  for (std::size_t i = 0; i < Records::most_recent + 5; ++i) {
    records.call_began();
    CHECK(records.calls_in_flight() == 1);
    records.call_ended(record(std::to_string(i)));
  }
  CHECK(records.calls_in_flight() == 0);
  const auto recent = records.recent();
  REQUIRE(recent.size() == Records::most_recent);
  CHECK(recent.front()->id == std::to_string(Records::most_recent + 4));
  CHECK(recent.back()->id == "5");
  CHECK(recent.front()->prompt.empty());
}

TEST_CASE("what a log or a metric throws does not reach the call") {
  Records records(RecordsOptions()
                      .with_log(std::make_shared<BrokenLog>())
                      .with_metrics(std::make_shared<BrokenMetrics>()));
  records.attempt_ended(AttemptReport(Member("anthropic", "m"), AttemptKind::plain, {}));
  records.call_began();
  records.call_ended(record("req_1"));
  records.warning("text");
  CHECK(records.calls_in_flight() == 0);
  CHECK(records.recent().size() == 1);
}
