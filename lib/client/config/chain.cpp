#include <algorithm>

#include "client/config/presets.hpp"
#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

using MemberKey = Key<MemberConfig>;
using RouteKey = Key<RouteDraft>;

MemberKey provider_key(std::string documentation, std::string example) {
  return MemberKey("provider", String(), &MemberConfig::provider, std::move(documentation))
      .required()
      .example(std::move(example));
}

MemberKey model_key(std::string_view name, std::string example) {
  return MemberKey(name, String(), &MemberConfig::model,
                   "The model, by the name that the provider has for it; `\"*\"`: the model that "
                   "the request names.")
      .required()
      .example(std::move(example));
}

}  // namespace

const KeyTable<MemberConfig>& first_member_keys() {
  static const KeyTable<MemberConfig> keys(
      SectionRow("model", "The member that is asked first: a provider, and one of its models.")
          .with_header("[model]"),
      {
          provider_key("A preset (" + list_of(preset_names(), "") +
                           "), or the NAME of a `[providers.NAME]` of this file.",
                       R"("anthropic")"),
          model_key("default", R"("claude-opus-4-7")").alias("model").alias("name"),
      });
  return keys;
}

const KeyTable<MemberConfig>& fallback_member_keys() {
  static const KeyTable<MemberConfig> keys(
      SectionRow("fallback_providers",
                 "The members that take over, in this order. One such section for each.")
          .with_header("[[fallback_providers]]")
          .as_list()
          .with_alias("fallbacks"),
      {
          provider_key("A preset or the NAME of a `[providers.NAME]`.", R"("openai-codex")"),
          model_key("model", R"("gpt-5.5")").alias("default"),
      });
  return keys;
}

const KeyTable<MemberConfig>& chain_member_keys() {
  static const KeyTable<MemberConfig> keys(
      SectionRow("routes.chain", "A member of the chain of a route.").as_list(),
      {
          provider_key("A preset or the NAME of a `[providers.NAME]`.", R"("openai")"),
          model_key("model", R"("gpt-5.5")"),
      });
  return keys;
}

const KeyTable<RouteDraft>& route_keys() {
  static const KeyTable<RouteDraft> keys(
      SectionRow(
          "routes",
          "A chain for the calls that ask for one model; all others go to `[model]`. Any key of "
          "`[fallback]` may be here too, for this chain only.")
          .with_header("[[routes]]")
          .as_list()
          .with_keys_of("fallback"),
      {
          RouteKey(
              "model", String(),
              [](RouteDraft& draft) -> std::string& { return draft.route.model; },
              "The model that a call asks for, or a pattern: `\"claude-haiku-*\"`. A route of "
              "exactly that name comes first, then the first pattern that matches.")
              .required()
              .alias("name")
              .example(R"("fast")"),
          RouteKey("chain",
                   {"list of tables",
                    [](const Section& section, RouteDraft& draft) {
                      draft.chain = section.tables("chain", "routes.chain");
                    }},
                   "The members, in the order in which they are asked.")
              .required()
              .alias("members")
              .example(R"([{provider = "openai", model = "gpt-5.5"}])")
              .long_example(R"([{provider = "groq", model = "llama-3.3-70b-versatile"}, )"
                            R"({provider = "mistral", model = "mistral-small-latest"}])"),
          RouteKey("stall",
                   {"table",
                    [](const Section& section, RouteDraft& draft) {
                      if (const auto stall = section.table("stall", "stall")) {
                        read_stall(*stall, draft.route.policy.stall);
                      }
                    }},
                   "Any keys of `[stall]`, for this chain only.")
              .example(R"({stale = "180s"})")
              .long_example(R"({first_progress = "5s"})"),
      });
  return keys;
}

}  // namespace understudy::config
