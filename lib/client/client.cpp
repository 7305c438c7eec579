#include "understudy/client/client.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "client/one_thread.hpp"
#include "client/reached.hpp"
#include "client/route_of.hpp"
#include "client/user_salt.hpp"
#include "llm/fit/short_ids.hpp"
#include "text/json_valid.hpp"
#include "understudy/llm/carried_seals.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/endpoint.hpp"
#include "understudy/llm/http_provider.hpp"
#include "understudy/llm/stall_scaling.hpp"
#include "understudy/runtime/notice.hpp"

namespace understudy {
namespace {

using detail::Route;

/// Where refreshes run, for as long as this lives.
class Attached {
 public:
  Attached(std::vector<std::shared_ptr<CredentialPool>> pools, Scope& scope)
      : pools_(std::move(pools)), scope_(scope) {
    for (const auto& pool : pools_) {
      pool->attach(scope_);
    }
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached() {
    for (const auto& pool : pools_) {
      pool->detach(scope_);
    }
  }

 private:
  std::vector<std::shared_ptr<CredentialPool>> pools_;
  Scope& scope_;
};

const std::string any_model = "*";

void set_home(llm::Request& request, const Route& route) {
  const auto home = request.origin ? route.homes.find(*request.origin) : route.homes.end();
  if (!request.home && home != route.homes.end()) {
    request.home = home->second;
  }
}

/// What is wrong with a schema of the caller's: it would arrive as another one. What a codec has read is JSON.
std::optional<Failure> schema_fault(const llm::Request& request) {
  const auto wrong = [](const std::string& schema) {
    return !schema.empty() && !json::is_valid_object(schema);
  };
  if (request.origin) {
    return std::nullopt;
  }
  for (const auto& tool : request.tools) {
    if (wrong(tool.schema)) {
      return Failure(FailoverReason::format_error,
                     "the schema of tool `" + tool.name + "` is not a JSON object");
    }
  }
  if (request.output && wrong(request.output->schema)) {
    return Failure(FailoverReason::format_error,
                   "the schema of the output format is not a JSON object");
  }
  return std::nullopt;
}

Policy policy_of(const Route& route, const RequestOptions& options) {
  auto policy = route.policy;
  if (options.deadline) {
    policy.with_deadline(*options.deadline);
  }
  policy.wait_out = policy.wait_out ? policy.wait_out : options.wait_out;
  return policy;
}

}  // namespace

class Client::Core {
 public:
  Core(const asio::any_io_executor& executor, const Config& config,
       std::shared_ptr<ClientState> shared, ClientOptions options)
      : executor_(executor),
        state_(std::move(shared)),
        catalog_(state_->catalog()),
        profiles_(detail::profiles_of(config, *catalog_)),
        user_salt_(detail::user_salt_of(config.server)),
        options_(std::move(options)),
        config_(config) {
    for (const auto& [name, provider] : options_.providers) {
      providers_.emplace(name, provider.get());
    }
    for (const auto& [name, provider] : config_.providers) {
      reach(provider);
    }
    main_ = prepared(config_.main);
    for (const auto& one : config_.routes) {
      routes_.push_back(prepared(one));
    }
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() = default;

  /// The route of a request for `model`. Its members that pass the model through ask for it.
  std::shared_ptr<const Route> route_for(const std::string& model) const {
    const auto& found = detail::route_of(routes_, main_, model);
    const auto& chain = found.route->chain;
    const bool passes =
        std::any_of(chain.begin(), chain.end(), [](const Member& m) { return m.passes_model(); });
    return passes ? std::make_shared<const Route>(route(*found.config, model)) : found.route;
  }

  /// The chain as the conversation should be tried, with the caller's own credential where a provider takes that.
  SessionAdvice advise(const SessionKey& key, const Route& route,
                       const std::optional<ClientCredential>& own,
                       std::optional<llm::Protocol> protocol) {
    auto advice =
        state_->sessions().advise(key, route.chain, route.delivery.return_when, Clock::now());
    advice.chain = with_credential(std::move(advice.chain), own, protocol);
    return advice;
  }

  asio::awaitable<Result<llm::Stream>> open(const llm::Request& request, const SessionKey& key,
                                            Attempt& attempt) {
    if (const auto fault = schema_fault(request)) {
      co_return *fault;
    }
    auto opened = co_await open_any(request, attempt);
    if (opened.has_value()) {
      state_->sessions().served(key, attempt.member(), attempt.credential(), attempt.mends(),
                                attempt.named_mends(), Clock::now());
    }
    co_return opened;
  }

  asio::awaitable<Result<llm::Stream>> open_any(const llm::Request& request, Attempt& attempt) {
    const auto& member = attempt.member();
    const auto reached = reached_.find(member.provider());
    if (reached != reached_.end() && reached->second.responses) {
      const auto family = profiles_->find(member.provider(), member.model()).family;
      const auto& facts = catalog_->model(family.empty() ? member.model() : family);
      if (llm::endpoint_for(request, facts) == llm::Protocol::openai_responses) {
        return reached->second.responses->open(request, attempt);
      }
    }
    return providers_.at(member.provider())->open(request, attempt);
  }

  /// Of a chain, those that are reached over HTTP in one of these protocols.
  Chain speaking(const Chain& chain, const std::vector<llm::Protocol>& protocols) const {
    Chain able;
    for (const auto& member : chain) {
      const auto found = reached_.find(member.provider());
      if (found != reached_.end() && std::find(protocols.begin(), protocols.end(),
                                               found->second.protocol) != protocols.end()) {
        able.push_back(member);
      }
    }
    return able;
  }

  /// The chain with the caller's own credential where a provider takes that. Members for which there is none are left
  /// out, if others remain.
  Chain with_credential(Chain chain, const std::optional<ClientCredential>& own,
                        std::optional<llm::Protocol> protocol) const {
    Chain able;
    for (auto& member : chain) {
      const auto found = config_.providers.find(member.provider());
      if (found == config_.providers.end() || !found->second.takes_clients_credential()) {
        able.push_back(member);
        continue;
      }
      const auto& provider = found->second;
      const auto* const back_end = detail::back_end_of(*catalog_, provider, provider.protocol);
      if (own &&
          detail::may_get_credential(back_end, provider.protocol, protocol, own->secret.reveal())) {
        const auto label =
            "client " + llm::detail::short_id(user_salt_ + std::string(own->secret.reveal()), 8);
        member.with_credentials(CredentialPool::of_caller(
            provider.name, Credential(label, own->secret).with_account(own->account)));
        able.push_back(member);
      } else if (member.credentials()) {
        able.push_back(member);
      }
    }
    return able.empty() ? chain : able;
  }

  bool takes_prefill(const Member& member) const {
    return profiles_->find(member.provider(), member.model()).accepts_prefill;
  }

  asio::awaitable<Result<llm::ForwardedResponse>> forward(const llm::ForwardedRequest& request,
                                                          Attempt& attempt) {
    return reached_.at(attempt.member().provider()).provider.forward(request, attempt);
  }

  /// What a call has of its own, else the client's.
  CallOptions call_options(const RequestOptions& options) const {
    CallOptions call;
    call.observer = options.observer != nullptr ? options.observer : options_.observer;
    call.parent = options.parent;
    return call;
  }

  State& state() noexcept { return state_->state(); }
  const asio::any_io_executor& executor() const noexcept { return executor_; }
  std::atomic<bool>& one_thread() noexcept { return busy_; }

  /// The scope in which credentials are refreshed, until `end`. It keeps the Core.
  static void run(const std::shared_ptr<Core>& core) {
    asio::co_spawn(core->executor_, root(core), [core](const std::exception_ptr& error) {
      core->root_.reset();
      core->ended_ = true;
      core->notice_.notify();
      if (error) {
        std::rethrow_exception(error);
      }
    });
  }

  void end() {
    ending_ = true;
    if (root_) {
      root_->cancel(StopReason::shutdown);
    }
    for (auto& [name, one] : reached_) {
      one.client.close();
    }
  }

  asio::awaitable<void> ended() {
    while (!ended_) {
      co_await notice_.wait(notice_.version(), Clock::time_point::max());
    }
  }

 private:
  llm::HttpProviderOptions http_options(const ProviderConfig& provider,
                                        const llm::BackEnd* back_end,
                                        llm::Protocol protocol) const {
    llm::HttpProviderOptions options(provider.name, protocol, provider.base_url);
    options.with_authorization(provider.authorization)
        .with_stream(provider.stream)
        .with_back_end(back_end)
        .with_catalog(catalog_)
        .with_user_salt(user_salt_)
        .with_lessons(state_->lessons())
        .with_profiles(profiles_);
    options.headers = provider.headers;
    return options;
  }

  void reach(const ProviderConfig& provider) {
    if (providers_.count(provider.name) != 0) {
      return;  // the caller's own
    }
    const auto made = reached_.try_emplace(
        provider.name, executor_, state_->http(provider),
        http_options(provider, detail::back_end_of(*catalog_, provider, provider.protocol),
                     provider.protocol));
    if (const auto* const back_end = detail::responses_back_end(*catalog_, provider)) {
      made.first->second.also_by_responses(
          http_options(provider, back_end, llm::Protocol::openai_responses));
    }
    providers_.emplace(provider.name, &made.first->second.provider);
    if (auto pool = state_->credentials(provider.name)) {
      pools_.push_back(std::move(pool));
    }
  }

  Route route(const RouteConfig& from, const std::string& asked) const {
    Route to{{}, from.model, {}, from.policy, from.delivery};
    for (const auto& one : from.chain) {
      to.chain.push_back(member(one, asked));
    }
    to.homes = detail::homes_of(to.chain, reached_, *profiles_, *catalog_);
    return to;
  }

  Member member(const MemberConfig& from, const std::string& asked) const {
    Member member(from.provider, from.model);
    if (member.passes_model()) {
      member.with_asked_model(asked);
    }
    const auto profile = profiles_->find(from.provider, member.model());
    member.with_reasoning_floor(profile.reasoning_floor);
    if (profile.context_window) {
      member.with_context_window(*profile.context_window);
    }
    const auto found = config_.providers.find(from.provider);
    if (found != config_.providers.end()) {
      configure(member, found->second);
    } else if (providers_.count(from.provider) == 0) {
      throw std::invalid_argument("understudy::Client: unknown provider `" + from.provider + "`");
    }
    return member;
  }

  void configure(Member& member, const ProviderConfig& provider) const {
    auto stall = provider.stall;
    if (const auto model = provider.models.find(member.model()); model != provider.models.end()) {
      stall = model->second.stall.or_else(stall);
    }
    member.with_base_url(provider.base_url_text)
        .with_credentials(state_->credentials(provider.name))
        .with_stall(stall);
    if (provider.backoff) {
      member.with_backoff(*provider.backoff);
    }
    if (provider.budget) {
      member.with_budget(*provider.budget);
    }
  }

  static asio::awaitable<void> root(std::shared_ptr<Core> core) {
    auto body = [&](Scope& scope) -> asio::awaitable<void> {
      const Attached attached(core->pools_, scope);
      core->root_ = scope.remote();
      if (core->ending_) {
        scope.cancel(StopReason::shutdown);
      }
      Timer never(core->executor_);
      never.expires_at(Clock::time_point::max());
      co_await never.async_wait(asio::as_tuple(asio::deferred));
    };
    try {
      co_await with_scope(std::move(body));
    } catch (const boost::system::system_error& stopped) {
      if (stopped.code() != StopReason::shutdown) {
        throw;
      }
    }
  }

  struct RouteOfModel {
    std::string model;  // in requests
    const RouteConfig* config = nullptr;
    std::shared_ptr<const Route> route;
  };

  RouteOfModel prepared(const RouteConfig& from) const {
    return {from.model, &from, std::make_shared<const Route>(route(from, any_model))};
  }

  asio::any_io_executor executor_;
  std::shared_ptr<ClientState> state_;
  std::shared_ptr<const llm::Catalog> catalog_;
  std::shared_ptr<const llm::ModelProfiles> profiles_;
  std::string user_salt_;
  ClientOptions options_;
  Config config_;
  detail::ReachedProviders reached_;
  std::map<std::string, llm::Provider*> providers_;
  std::vector<std::shared_ptr<CredentialPool>> pools_;
  RouteOfModel main_;
  std::vector<RouteOfModel> routes_;
  std::optional<Remote> root_;
  Notice notice_;
  bool ending_ = false;
  bool ended_ = false;
  std::atomic<bool> busy_ = false;  // OneThread
};

Client::Client(const asio::any_io_executor& executor, const Config& config,
               std::shared_ptr<ClientState> state, ClientOptions options)
    : core_(std::make_shared<Core>(executor, config, std::move(state), std::move(options))) {
  Core::run(core_);
}

Client::Client(Client&&) noexcept = default;

Client& Client::operator=(Client&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}

Client::~Client() {
  if (core_) {
    core_->end();
  }
}

asio::any_io_executor Client::get_executor() const { return core_->executor(); }

asio::awaitable<Delivery> Client::stream(llm::Request request, RequestOptions options) {
  return stream_of(core_, std::move(request), std::move(options));
}

asio::awaitable<Outcome<llm::Answer>> Client::complete(llm::Request request,
                                                       RequestOptions options) {
  return complete_of(core_, std::move(request), std::move(options));
}

asio::awaitable<void> Client::close() { return close_of(core_); }

asio::awaitable<Delivery> Client::stream_of(std::shared_ptr<Core> core, llm::Request request,
                                            RequestOptions options) {
  std::optional<detail::OneThread> alone(core->one_thread());
  const auto taken = core->route_for(request.model);
  const auto& route = *taken;
  set_home(request, route);
  const auto key = SessionKey::of(request, options.session, route.model);
  auto advice = core->advise(key, route, options.client_credential, request.origin);
  const auto asked = std::make_shared<const llm::Request>(std::move(request));
  auto open = [core, key](const llm::Request& ask, Attempt& attempt) {
    return core->open(ask, key, attempt);
  };
  const auto call = core->call_options(options);
  DeliveryPlan plan(std::move(advice.chain), policy_of(route, options), route.delivery,
                    core->state(), asked, std::move(open));
  plan.with_prompt(estimated_tokens(*asked))
      .with_session(key.conversation.text(), std::move(advice.why));
  plan.observer = call.observer;
  plan.parent = call.parent;
  plan.can_retract = options.can_retract;
  plan.takes_prefill = [core](const Member& member) { return core->takes_prefill(member); };
  plan.settings.on_partial =
      plan.settings.on_partial ? plan.settings.on_partial : options.on_partial;
  plan.settings.commit = options.commit.value_or(plan.settings.commit);
  alone.reset();
  co_return co_await deliver(std::move(plan));
}

asio::awaitable<Outcome<llm::Answer>> Client::complete_of(std::shared_ptr<Core> core,
                                                          llm::Request request,
                                                          RequestOptions options) {
  std::optional<detail::OneThread> alone(core->one_thread());
  const auto taken = core->route_for(request.model);
  const auto& route = *taken;
  set_home(request, route);
  const auto key = SessionKey::of(request, options.session, route.model);
  auto advice = core->advise(key, route, options.client_credential, request.origin);
  const auto policy = policy_of(route, options);
  auto call = core->call_options(options);
  const auto tokens = estimated_tokens(request);
  call.with_prompt(tokens)
      .with_scaled_stale(llm::scaled_stale(tokens))
      .with_session(key.conversation.text(), std::move(advice.why));
  alone.reset();
  auto ask = [&](Attempt& attempt) -> asio::awaitable<Result<llm::Answer>> {
    auto opened = co_await core->open(request, key, attempt);
    if (opened.has_error()) {
      co_return opened.error();
    }
    llm::Stream stream = std::move(*opened);
    const auto origin =
        llm::answer_origin(stream.origin(), attempt.member(), stream.protocol() == request.origin);
    stream.ask_takeover([&] { return attempt.takeover(); });
    std::optional<llm::AnswerFold> fold;
    if (options.provider_json == stream.protocol()) {
      fold.emplace(stream.protocol(),
                   stream.whole() ? llm::BodyShape::whole : llm::BodyShape::stream);
    }
    std::unique_ptr<llm::StreamMend> mend;
    if (fold && !stream.whole()) {
      mend = llm::codec_for(stream.protocol()).stream_mend(origin);
    }
    auto answer = co_await llm::read_answer(stream, fold ? &*fold : nullptr, mend.get());
    attempt.flawed(stream.undecodable(), stream.inferred_finish());
    if (answer) {
      answer->origin = origin;
      if (!answer->provider_json.empty() && stream.whole()) {
        llm::carry_seals(answer->provider_json, stream.protocol(), answer->origin);
      }
      attempt.spent(answer->usage.output.value_or(0));
    }
    if (answer && answer->finish == llm::FinishReason::refusal && attempt.moves_on_refused()) {
      co_return Failure(FailoverReason::content_policy_blocked, "the model refused");
    }
    co_return answer;
  };
  co_return co_await failover(advice.chain, policy, core->state(), std::move(ask), call);
}

asio::awaitable<Outcome<llm::ForwardedResponse>> Client::forward(
    llm::ForwardedRequest request, std::vector<llm::Protocol> protocols, RequestOptions options) {
  const auto core = core_;
  const auto model = llm::member_text(request.body, "model").value_or("");
  const auto taken = core->route_for(model);
  const auto& route = *taken;
  request.own_model = request.own_model && (route.model.empty() || request.kept_state);
  auto chain = core->speaking(route.chain, protocols);
  if (request.kept_state && chain.size() > 1) {
    chain.erase(chain.begin() + 1, chain.end());
  }
  for (auto& member : chain) {
    member.with_purpose(request.purpose.empty() ? request.below : request.purpose);
  }
  chain = core->with_credential(std::move(chain), options.client_credential, protocols.front());
  const auto policy = policy_of(route, options);
  auto ask = [&](Attempt& attempt) { return core->forward(request, attempt); };
  co_return co_await failover(chain, policy, core->state(), std::move(ask),
                              core->call_options(options));
}

asio::awaitable<void> Client::close_of(std::shared_ptr<Core> core) {
  core->end();
  co_await core->ended();
}

}  // namespace understudy
