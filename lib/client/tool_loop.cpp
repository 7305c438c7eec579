#include "understudy/client/tool_loop.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <stdexcept>

#include "text/json_valid.hpp"
#include "understudy/llm/tool_form.hpp"
#include "understudy/runtime/scope.hpp"

namespace understudy {
namespace {

using llm::result_of;
using llm::ToolCallPart;
using llm::ToolResultPart;

void add(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& more) {
  sum = sum || more ? std::optional(sum.value_or(0) + more.value_or(0)) : std::nullopt;
}

void add(llm::Usage& sum, const llm::Usage& more) {
  add(sum.input, more.input);
  add(sum.cache_read, more.cache_read);
  add(sum.cache_write, more.cache_write);
  add(sum.output, more.output);
  add(sum.reasoning, more.reasoning);
}

/// The calls of one answer.
class Calls {
 public:
  Calls(const Toolbox& tools, const ToolLimits& limits, std::vector<ToolCallPart> calls)
      : tools_(tools), limits_(limits), calls_(std::move(calls)), results_(calls_.size()) {}

  asio::awaitable<void> run() {
    auto body = [&](Scope& scope) -> asio::awaitable<void> {
      const auto workers = std::min(std::max<std::size_t>(limits_.parallel, 1), calls_.size());
      for (std::size_t i = 0; i < workers; ++i) {
        auto worker = [this] { return work(); };
        scope.spawn(std::move(worker));
      }
      co_await scope.join();
    };
    co_await with_scope(std::move(body));
  }

  void add_to(llm::Conversation& conversation) {
    for (auto& result : results_) {
      conversation.add_result(std::move(*result));
    }
  }

 private:
  asio::awaitable<void> work() {
    while (next_ < calls_.size()) {
      const auto mine = next_++;
      results_[mine] = co_await limited(calls_[mine]);
    }
  }

  asio::awaitable<ToolResultPart> limited(const ToolCallPart& call) {
    auto body = [&](Scope& scope) -> asio::awaitable<ToolResultPart> {
      scope.deadline(limits_.time);
      co_return co_await tools_.run(call);
    };
    std::optional<ToolResultPart> result;
    try {
      result = co_await with_scope(std::move(body));
    } catch (const boost::system::system_error& stopped) {
      if (stopped.code() != StopReason::deadline) {
        throw;
      }
    }
    if (!result) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limits_.time).count();
      result = result_of(
          call, "stopped: the tool took longer than " + std::to_string(seconds) + " s", true);
    }
    co_return std::move(*result);
  }

  const Toolbox& tools_;
  const ToolLimits& limits_;
  std::vector<ToolCallPart> calls_;
  std::vector<std::optional<ToolResultPart>> results_;
  std::size_t next_ = 0;
};

}  // namespace

Toolbox& Toolbox::add(llm::Tool tool, Run run) {
  if (!tool.schema.empty() && !json::is_valid_object(tool.schema)) {
    throw std::invalid_argument("tool \"" + tool.name + "\": its schema is not a JSON object");
  }
  if (!runs_.emplace(tool.name, std::move(run)).second) {
    throw std::invalid_argument("tool \"" + tool.name + "\" is there already");
  }
  tools_.push_back(std::move(tool));
  return *this;
}

asio::awaitable<ToolResultPart> Toolbox::run(const ToolCallPart& call) const {
  const auto found = runs_.find(call.name);
  if (found == runs_.end()) {
    co_return result_of(call, "there is no tool named " + call.name, true);
  }
  const bool custom = call.form == llm::ToolForm::custom;
  auto arguments = custom                   ? std::string(llm::custom_input(call.arguments))
                   : call.arguments.empty() ? std::string("{}")
                                            : call.arguments;
  if (!custom && !json::is_valid_object(arguments)) {
    co_return result_of(call, "the arguments are not a JSON object", true);
  }
  std::string failed;
  try {
    auto text = co_await found->second(std::move(arguments));
    co_return result_of(call, std::move(text), false);
  } catch (const boost::system::system_error& thrown) {
    const bool stopped = thrown.code() == asio::error::operation_aborted ||
                         thrown.code().category() == stop_category();
    if (stopped) {
      throw;
    }
    failed = thrown.what();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& thrown) {
    failed = thrown.what();
  }
  co_return result_of(call, "the tool failed: " + failed, true);
}

asio::awaitable<ToolLoopOutcome> run_tools(Client& client, llm::Conversation& conversation,
                                           const Toolbox& tools, ToolLimits limits,
                                           RequestOptions options) {
  ToolLoopOutcome outcome;
  conversation.request().tools = tools.tools();
  const auto most = std::max<std::size_t>(limits.answers, 1);
  for (std::size_t answers = 1; answers <= most; ++answers) {
    auto answered = co_await client.complete(conversation.request(), options);
    outcome.reports.push_back(std::move(answered.report));
    outcome.result = std::move(answered.result);
    if (outcome.result.has_error()) {
      co_return outcome;
    }
    add(outcome.usage, outcome.result->usage);
    conversation.add(*outcome.result);
    auto calls = conversation.open_calls();
    const bool paused = outcome.result->finish == llm::FinishReason::pause;
    if (calls.empty() && !paused) {
      co_return outcome;
    }
    if (answers == most) {
      break;
    }
    if (!calls.empty()) {
      outcome.calls += calls.size();
      Calls running(tools, limits, std::move(calls));
      co_await running.run();
      running.add_to(conversation);
    }
  }
  co_return outcome;
}

}  // namespace understudy
