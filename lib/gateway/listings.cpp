#include "listings.hpp"

#include <set>
#include <vector>

#include "text/glob.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/net/url.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::gateway::detail {
namespace {

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

std::string models_list(const Config& config, llm::Protocol protocol) {
  const auto names = names_of(config);
  std::string out;
  llm::codec_for(protocol).write_models(std::vector<std::string>(names.begin(), names.end()), out);
  return out;
}

std::optional<std::string> model_entry(const Config& config, llm::Protocol protocol,
                                       std::string_view encoded) {
  const auto name = percent_decoded(encoded);
  if (!name || !names_of(config).contains(*name)) {
    return std::nullopt;
  }
  std::string out;
  llm::codec_for(protocol).write_model(*name, out);
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
  json.key("recent");
  write_recent(json, records);
  json.end_object();
  return out;
}

}  // namespace understudy::gateway::detail
