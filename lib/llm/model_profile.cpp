#include "understudy/llm/model_profile.hpp"

#include "text/ascii.hpp"

#include <algorithm>
#include <array>

namespace understudy::llm {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t no_window = 0;
constexpr bool prefill = true;
constexpr bool no_prefill = false;

struct Row {
  std::string_view slug;
  std::uint64_t window;  // tokens; no_window: not known, or not the same everywhere
  int floor;             // seconds
  bool accepts_prefill;
  SamplingRule sampling;
  ThinkingStyle thinking;
  OutputLimit output_limit = OutputLimit::max_tokens;
  bool stop_sequences = true;
};

using enum SamplingRule;
using Think = ThinkingStyle;
using enum OutputLimit;

// Sources. Floors: failover.md 2.3. Prefill, sampling and thinking of Claude:
// protocols.md 2.1 and 2.6 (prefill up to the 4.5 family; sampling refused and adaptive from Opus 4.7 on;
// before, one of temperature and top_p from the 4 family on). OpenAI's reasoning models: protocols.md 3.1
// and 8 (default temperature only, `max_completion_tokens`, no `stop`; OpenAI's others take both words for
// the limit, and most servers that speak likewise know `max_tokens` alone). Windows: the makers' model pages,
// as of 2026-09; Claude's without the long-context header; Gemini's as in its own errors (1048575 + 1);
// gpt-5.4's as in tests/data/classifier-cases.json. Others' differ from host to host: not claimed.
constexpr std::array table{
    // Anthropic
    Row{"claude-2", no_window, 0, prefill, any, Think::none},
    Row{"claude-3", 200'000, 0, prefill, any, Think::none},
    Row{"claude-3-7-sonnet", 200'000, 0, prefill, any, Think::budget},
    Row{"claude-haiku-4", 200'000, 0, prefill, one_of, Think::budget},
    Row{"claude-haiku-4.5", 200'000, 0, prefill, one_of, Think::budget},
    Row{"claude-sonnet-4", 200'000, 0, prefill, one_of, Think::budget},
    Row{"claude-sonnet-4.5", 200'000, 180, prefill, one_of, Think::budget},
    Row{"claude-sonnet-4.6", no_window, 180, no_prefill, one_of, Think::adaptive},
    Row{"claude-sonnet-4.7", no_window, 0, no_prefill, refused, Think::adaptive},
    Row{"claude-sonnet-4.8", no_window, 0, no_prefill, refused, Think::adaptive},
    Row{"claude-sonnet-5", no_window, 180, no_prefill, refused, Think::adaptive},
    Row{"claude-opus-4", 200'000, 240, prefill, one_of, Think::budget},
    Row{"claude-opus-4.5", 200'000, 240, prefill, one_of, Think::budget},
    Row{"claude-opus-4.6", no_window, 240, no_prefill, one_of, Think::adaptive},
    Row{"claude-opus-4.7", no_window, 240, no_prefill, refused, Think::adaptive},
    Row{"claude-opus-4.8", no_window, 240, no_prefill, refused, Think::adaptive},
    Row{"claude-opus-5", no_window, 240, no_prefill, refused, Think::adaptive},
    Row{"claude-fable", no_window, 600, no_prefill, refused, Think::adaptive},

    // OpenAI
    Row{"gpt", no_window, 0, no_prefill, any, Think::unknown, max_completion_tokens},  // newer ones
    Row{"gpt-3.5", no_window, 0, no_prefill, any, Think::none},
    Row{"gpt-4", no_window, 0, no_prefill, any, Think::none},
    Row{"gpt-4o", 128'000, 0, no_prefill, any, Think::none},
    Row{"gpt-4.1", 1'047'576, 0, no_prefill, any, Think::none},
    Row{"gpt-5", 400'000, 0, no_prefill, refused, Think::effort, max_completion_tokens, false},
    Row{"gpt-5.4", 1'050'000, 0, no_prefill, refused, Think::effort, max_completion_tokens, false},
    Row{"gpt-5.5", no_window, 0, no_prefill, refused, Think::effort, max_completion_tokens, false},
    Row{"gpt-5.6", no_window, 0, no_prefill, refused, Think::effort, max_completion_tokens, false},
    Row{"gpt-oss", 131'072, 0, no_prefill, any, Think::effort},
    Row{"o1", 200'000, 600, no_prefill, refused, Think::effort, max_completion_tokens, false},
    Row{"o1-mini", 128'000, 600, no_prefill, refused, Think::none, max_completion_tokens, false},
    Row{"o1-preview", 128'000, 600, no_prefill, refused, Think::none, max_completion_tokens, false},
    Row{"o3", 200'000, 600, no_prefill, refused, Think::effort, max_completion_tokens, false},
    Row{"o3-mini", 200'000, 300, no_prefill, refused, Think::effort, max_completion_tokens, false},
    Row{"o4", no_window, 0, no_prefill, refused, Think::effort, max_completion_tokens, false},
    Row{"o4-mini", 200'000, 300, no_prefill, refused, Think::effort, max_completion_tokens, false},

    // Google
    Row{"gemini-2.0-flash", 1'048'576, 0, no_prefill, any, Think::none},
    Row{"gemini-2.5", 1'048'576, 0, no_prefill, any, Think::unknown},
    Row{"gemini-3", 1'048'576, 0, no_prefill, any, Think::unknown},

    // Families served by many hosts, with windows of their own
    Row{"deepseek-r1", no_window, 600, no_prefill, any, Think::unknown},
    Row{"deepseek-reasoner", no_window, 600, no_prefill, any, Think::unknown},
    Row{"deepseek-flash", no_window, 600, no_prefill, any, Think::unknown},
    Row{"deepseek-v4-flash", no_window, 600, no_prefill, any, Think::unknown},
    Row{"deepseek-v4.1-flash", no_window, 600, no_prefill, any, Think::unknown},
    Row{"deepseek-v4-pro", no_window, 600, no_prefill, any, Think::unknown},
    Row{"grok-4-fast-reasoning", no_window, 300, no_prefill, any, Think::unknown},
    Row{"grok-4-fast-non-reasoning", no_window, 180, no_prefill, any, Think::none},
    Row{"grok-4.20-reasoning", no_window, 300, no_prefill, any, Think::unknown},
    Row{"grok-4.5", no_window, 300, no_prefill, any, Think::unknown},
    Row{"grok-4.6", no_window, 300, no_prefill, any, Think::unknown},
    Row{"nemotron-3-nano", no_window, 300, no_prefill, any, Think::unknown},
    Row{"nemotron-3-super", no_window, 600, no_prefill, any, Think::unknown},
    Row{"nemotron-3-ultra", no_window, 600, no_prefill, any, Think::unknown},
    Row{"nemotron-3.5-lightning", no_window, 300, no_prefill, any, Think::unknown},
    Row{"qwen3", no_window, 180, no_prefill, any, Think::unknown},
    Row{"qwq-32b", no_window, 300, no_prefill, any, Think::unknown},
    Row{"ox-alpha", no_window, 300, no_prefill, any, Think::unknown},
    Row{"x-preview-f-free", no_window, 300, no_prefill, any, Think::unknown},
    Row{"inkling", no_window, 300, no_prefill, any, Think::unknown},
    // Families of which no more is known than that these are families.
    Row{"deepseek", no_window, 0, no_prefill, any, Think::unknown},
    Row{"gemma", no_window, 0, no_prefill, any, Think::unknown},
    Row{"glm", no_window, 0, no_prefill, any, Think::unknown},
    Row{"grok", no_window, 0, no_prefill, any, Think::unknown},
    Row{"kimi", no_window, 0, no_prefill, any, Think::unknown},
    Row{"llama", no_window, 0, no_prefill, any, Think::unknown},
    Row{"minimax", no_window, 0, no_prefill, any, Think::unknown},
    Row{"mistral", no_window, 0, no_prefill, any, Think::unknown},
    Row{"mixtral", no_window, 0, no_prefill, any, Think::unknown},
    Row{"nemotron", no_window, 0, no_prefill, any, Think::unknown},
    Row{"phi", no_window, 0, no_prefill, any, Think::unknown},
    Row{"qwen2", no_window, 0, no_prefill, any, Think::unknown},
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

bool known_family(std::string_view model) { return row_of(model) != nullptr; }

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
    if (row->window != no_window) {
      profile.context_window = row->window;
    }
    profile.accepts_prefill = row->accepts_prefill;
    profile.reasoning_floor = seconds(row->floor);
    profile.sampling = row->sampling;
    profile.thinking = row->thinking;
    profile.output_limit = row->output_limit;
    profile.stop_sequences = row->stop_sequences;
  }
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
