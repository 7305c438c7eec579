#include "listings.hpp"

#include <set>
#include <vector>

#include "llm/picker_prefix.hpp"
#include "text/glob.hpp"
#include "understudy/gateway/gauges.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/net/url.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::gateway::detail {
namespace {

using llm::detail::picker_prefix;

std::set<std::string, std::less<>> names_of(const Config& config) {
  std::set<std::string, std::less<>> names;
  const auto add = [&](const std::string& name) {
    if (!text::is_glob(name)) {  // stands for models whose names are not known here
      names.insert(name);
    }
  };
  for (const auto& route : config.routes) {
    add(route.model);
  }
  if (!config.main.chain.empty()) {
    add(config.main.chain.front().model);
  }
  return names;
}

void write_chain(JsonWriter& json, const RouteConfig& route) {
  json.begin_object();
  if (!route.model.empty()) {
    json.member("model", route.model);
  }
  json.key("members").begin_array();
  for (const auto& member : route.chain) {
    json.value(member.provider + "/" + member.model);
  }
  json.end_array().end_object();
}

void write_marks(JsonWriter& json, State& state) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  json.begin_array();
  for (const auto& mark : state.health().marks(Clock::now())) {
    json.begin_object()
        .member("key", mark.key)
        .member("reason", to_string(mark.reason))
        .member("rests_ms", Milliseconds(mark.cooldown).count())
        .member("named_ms", Milliseconds(mark.named).count())
        .member("failed_probes", mark.failed_probes)
        .member("probing", mark.probing)
        .member("dead", mark.dead)
        .end_object();
  }
  json.end_array();
}

void write_quotas(JsonWriter& json, ClientState& state) {
  json.begin_array();
  for (const auto& quota : Gauges(state, 0).quotas) {
    json.begin_object().member("credential", quota.credential);
    if (!quota.model.empty()) {
      json.member("model", quota.model);
    }
    json.member("window", quota.window).member("left", quota.left).end_object();
  }
  json.end_array();
}

void write_recent(JsonWriter& json, const Records& records) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  json.begin_array();
  for (const auto& record : records.recent()) {
    json.begin_object()
        .member("id", record->id)
        .member("path", record->path)
        .member("status", record->status)
        .member("broke", record->broke)
        .member("client_left", record->left)
        .member("took_ms", Milliseconds(record->took).count())
        .key("report")
        .raw(record->report.to_json())
        .end_object();
  }
  json.end_array();
}

}  // namespace

std::string models_list(const Config& config, llm::Protocol protocol, const HttpHead& head) {
  const bool for_picker = head.headers.find("user-agent").value_or("").starts_with("claude-code/");
  const auto names = names_of(config);
  std::vector<std::string> ids;
  for (const auto& name : names) {
    const bool shown = name.starts_with("claude") || name.starts_with("anthropic");
    ids.push_back(for_picker && !shown ? std::string(picker_prefix) + name : name);
  }
  std::string out;
  llm::codec_for(protocol).write_models(ids, out);
  const std::string_view target = head.target;
  if (target.find("client_version=") != std::string_view::npos) {
    out.insert(out.size() - 1, R"(,"models":[])");
  }
  return out;
}

std::string listed_model(const Config& config, std::string asked) {
  if (!asked.starts_with(picker_prefix)) {
    return asked;
  }
  const auto names = names_of(config);
  auto name = asked.substr(picker_prefix.size());
  return names.contains(name) && !names.contains(asked) ? name : asked;
}

std::optional<std::string> model_entry(const Config& config, llm::Protocol protocol,
                                       std::string_view encoded) {
  const auto id = percent_decoded(encoded);
  if (!id || !names_of(config).contains(listed_model(config, *id))) {
    return std::nullopt;
  }
  std::string out;
  llm::codec_for(protocol).write_model(*id, out);
  return out;
}

std::string status(const Config& config, ClientState& state, const Records& records,
                   bool draining) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("draining", draining).key("chains").begin_array();
  if (!config.main.chain.empty()) {
    write_chain(json, config.main);
  }
  for (const auto& route : config.routes) {
    write_chain(json, route);
  }
  json.end_array().key("credentials").begin_array();
  for (const auto& [name, provider] : config.providers) {
    if (const auto pool = state.credentials(name)) {
      for (std::size_t i = 0; i < pool->size(); ++i) {
        json.value(pool->key(i));
      }
    }
  }
  json.end_array().member("conversations", state.sessions().size()).key("marks");
  write_marks(json, state.state());
  json.key("quotas");
  write_quotas(json, state);
  json.key("recent");
  write_recent(json, records);
  json.end_object();
  return out;
}

}  // namespace understudy::gateway::detail
