#include "understudy/llm/model_profile.hpp"

#include <algorithm>
#include <array>

#include "text/ascii.hpp"
#include "understudy/llm/catalog/catalog.hpp"

namespace understudy::llm {
namespace {

using std::chrono::seconds;

struct Row {
  std::string_view slug;
  int floor;  // seconds; 0: none, but a row of its own, so that a shorter slug does not give it one
};

// How long models may think without a token: failover.md 2.3.
constexpr std::array table{
    Row{"claude-2", 0},
    Row{"claude-3", 0},
    Row{"claude-3-7-sonnet", 0},
    Row{"claude-haiku-4", 0},
    Row{"claude-haiku-4.5", 0},
    Row{"claude-sonnet-4", 0},
    Row{"claude-sonnet-4.5", 180},
    Row{"claude-sonnet-4.6", 180},
    Row{"claude-sonnet-4.7", 0},
    Row{"claude-sonnet-4.8", 0},
    Row{"claude-sonnet-5", 180},
    Row{"claude-opus-4", 240},
    Row{"claude-opus-4.5", 240},
    Row{"claude-opus-4.6", 240},
    Row{"claude-opus-4.7", 240},
    Row{"claude-opus-4.8", 240},
    Row{"claude-opus-5", 240},
    Row{"claude-fable", 600},
    Row{"gpt", 0},
    Row{"gpt-3.5", 0},
    Row{"gpt-4", 0},
    Row{"gpt-4o", 0},
    Row{"gpt-4.1", 0},
    Row{"gpt-5", 0},
    Row{"gpt-5.4", 0},
    Row{"gpt-5.5", 0},
    Row{"gpt-5.6", 0},
    Row{"gpt-oss", 0},
    Row{"o1", 600},
    Row{"o1-mini", 600},
    Row{"o1-preview", 600},
    Row{"o3", 600},
    Row{"o3-mini", 300},
    Row{"o4", 0},
    Row{"o4-mini", 300},
    Row{"gemini-2.0-flash", 0},
    Row{"gemini-2.5", 0},
    Row{"gemini-3", 0},
    Row{"deepseek-r1", 600},
    Row{"deepseek-reasoner", 600},
    Row{"deepseek-flash", 600},
    Row{"deepseek-v4-flash", 600},
    Row{"deepseek-v4.1-flash", 600},
    Row{"deepseek-v4-pro", 600},
    Row{"grok-4-fast-reasoning", 300},
    Row{"grok-4-fast-non-reasoning", 180},
    Row{"grok-4.20-reasoning", 300},
    Row{"grok-4.5", 300},
    Row{"grok-4.6", 300},
    Row{"nemotron-3-nano", 300},
    Row{"nemotron-3-super", 600},
    Row{"nemotron-3-ultra", 600},
    Row{"nemotron-3.5-lightning", 300},
    Row{"qwen3", 180},
    Row{"qwq-32b", 300},
    Row{"ox-alpha", 300},
    Row{"x-preview-f-free", 300},
    Row{"inkling", 300},
    Row{"deepseek", 0},
    Row{"gemma", 0},
    Row{"glm", 0},
    Row{"grok", 0},
    Row{"kimi", 0},
    Row{"llama", 0},
    Row{"minimax", 0},
    Row{"mistral", 0},
    Row{"mixtral", 0},
    Row{"nemotron", 0},
    Row{"phi", 0},
    Row{"qwen2", 0},
};

/// The model's own name: "claude-opus-4-5-20251101-v1:0" of "us.anthropic.claude-opus-4-5-20251101-v1:0".
std::string_view bare(std::string_view model) {
  model.remove_prefix(model.rfind('/') + 1);  // npos + 1 is 0
  for (const std::string_view region : {"us.", "eu.", "apac.", "global.", "jp.", "au."}) {
    if (model.starts_with(region)) {
      model.remove_prefix(region.size());
      break;
    }
  }
  for (const std::string_view vendor : {"anthropic.", "openai.", "deepseek.", "qwen.", "meta.",
                                        "nvidia.", "minimax.", "moonshotai.", "zai."}) {
    if (model.starts_with(vendor)) {
      return model.substr(vendor.size());
    }
  }
  return model;
}

/// See invariant 3.
bool matches(std::string_view slug, std::string_view model) {
  slug = bare(slug);
  model = bare(model);
  if (slug.empty() || model.size() < slug.size()) {
    return false;
  }
  const auto dash = [](std::string_view text, std::size_t i) {
    return (text[i] == '.' || text[i] == '-') && i > 0 && text::is_digit(text[i - 1]) &&
           i + 1 < text.size() && text::is_digit(text[i + 1]);
  };
  for (std::size_t i = 0; i < slug.size(); ++i) {
    if (text::lowered(slug[i]) != text::lowered(model[i]) && !(dash(slug, i) && dash(model, i))) {
      return false;
    }
  }
  constexpr std::string_view ends = "-._:@";
  return model.size() == slug.size() || ends.find(model[slug.size()]) != std::string_view::npos;
}

const Row* row_of(std::string_view model) {
  const Row* best = nullptr;
  for (const auto& row : table) {
    if (matches(row.slug, model) && (best == nullptr || row.slug.size() > best->slug.size())) {
      best = &row;
    }
  }
  return best;
}

}  // namespace

bool known_family(std::string_view model) {
  return row_of(model) != nullptr || Catalog::built_in().model(model).known();
}

const ModelProfiles::Entry* ModelProfiles::own(std::string_view provider,
                                               std::string_view model) const {
  const auto weight = [](const Entry& entry) {
    return std::pair(entry.slug.size(), entry.provider.size());
  };
  const Entry* best = nullptr;
  for (const auto& entry : entries_) {
    if ((entry.provider.empty() || entry.provider == provider) && matches(entry.slug, model) &&
        (best == nullptr || weight(entry) > weight(*best))) {
      best = &entry;
    }
  }
  return best;
}

ModelProfile ModelProfiles::find(std::string_view provider, std::string_view model) const {
  if (const auto* entry = own(provider, model)) {
    return entry->profile;
  }
  ModelProfile profile;
  if (const auto* row = row_of(model)) {
    profile.reasoning_floor = seconds(row->floor);
  }
  const auto& facts = (catalog_ == nullptr ? Catalog::built_in() : *catalog_).model(model);
  if (!facts.open_weights) {
    profile.context_window = facts.context_window;
  }
  profile.accepts_prefill = facts.prefill.value_or(false);
  return profile;
}

ModelProfile& ModelProfiles::entry(std::string_view provider, std::string_view slug) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
    return e.provider == provider && e.slug == slug;
  });
  if (found != entries_.end()) {
    return found->profile;
  }
  entries_.push_back({std::string(provider), std::string(slug), find(provider, slug)});
  return entries_.back().profile;
}

}  // namespace understudy::llm
