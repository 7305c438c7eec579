#include <algorithm>

#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

constexpr std::int64_t most_tokens = 1'000'000'000;

struct ModelDraft {
  ModelConfig model;
  StallSettings beneath;
};

using ModelKey = Key<ModelDraft>;

template <class Member>
auto model(Member member) {
  return [=](ModelDraft& draft) -> auto& { return draft.model.*member; };
}

const KeyTable<ModelDraft>& model_keys() {
  static const KeyTable<ModelDraft> keys(
      SectionRow("providers.NAME.models.MODEL",
                 "What is known of a model. It takes precedence over the table of models that is "
                 "built in.")
          .with_header("[providers.example.models.\"qwen3\"]"),
      {
          ModelKey(
              "family", String(), model(&ModelConfig::family),
              "The model that it is, for a deployment with a name of its own: the facts of the "
              "catalog for that model apply (`understudy catalog`).")
              .example(R"("gpt-5.6-sol")"),
          ModelKey("context_window", Whole(1, most_tokens), model(&ModelConfig::context_window),
                   "The tokens that fit the model, prompt and answer together.")
              .example("32768"),
          ModelKey("accepts_prefill", Flag(), model(&ModelConfig::accepts_prefill),
                   "Whether the model continues an answer that the client has begun.")
              .example("true"),
          ModelKey("reasoning_floor", Duration(), model(&ModelConfig::reasoning_floor),
                   "The model may think for this long without a token.")
              .example(R"("300s")"),
          ModelKey("stall",
                   {"table",
                    [](const Section& section, ModelDraft& draft) {
                      if (const auto stall = section.table("stall", "stall")) {
                        read_stall(*stall, draft.model.stall, draft.beneath);
                      }
                    }},
                   "Any keys of `[stall]`, for this model only.")
              .example(R"({stale = "180s"})")
              .long_example(R"({first_progress = "60s"})"),
      });
  return keys;
}

ModelConfig read_model(const Section& section, const StallSettings& beneath) {
  ModelDraft draft{{}, beneath};
  model_keys().read(section, draft);
  section.finish();
  if (draft.model.reasoning_floor && draft.model.stall.stale) {
    section.wrong("reasoning_floor", "`reasoning_floor` has no effect beside an explicit `stale`",
                  "remove one of the two");
  }
  return draft.model;
}

/// What TOML makes of `models.gpt-5.5`: a table within the table `gpt-5`.
const TomlNode::Entry* rest_of_name(const TomlNode& model) {
  const auto* const table = std::get_if<TomlNode::Table>(&model.value);
  const auto keys = schema().key_names(model_section().name);
  if (table == nullptr || table->size() != 1 ||
      !std::holds_alternative<TomlNode::Table>(table->front().node.value) ||
      std::find(keys.begin(), keys.end(), table->front().key) != keys.end()) {
    return nullptr;
  }
  return &table->front();
}

}  // namespace

const SectionRow& model_section() { return model_keys().section(); }

void read_models(const Section& section, ProviderConfig& provider, const StallSettings& beneath) {
  const auto* const entries = section.entries("models");
  if (entries == nullptr) {
    return;
  }
  for (const auto& entry : *entries) {
    if (const auto* const part = rest_of_name(entry.node)) {
      section.findings().add(part->place, "the name of a model has a dot and no quotes",
                             "write models.\"" + excerpt(entry.key + "." + part->key) + "\"");
    } else if (!std::holds_alternative<TomlNode::Table>(entry.node.value)) {
      section.findings().add(
          entry.node.place, "a model must be a table",
          "write models = {\"" + excerpt(entry.key) + "\" = {context_window = 32768}}");
    } else {
      provider.models.emplace(entry.key, read_model(Section(section.findings(), schema(),
                                                            model_section().name, entry.node),
                                                    beneath));
    }
  }
}

}  // namespace understudy::config
