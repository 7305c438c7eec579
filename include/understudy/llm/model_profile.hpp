/// What is known of a model before it is asked: its window, how long it may think, and which parameters
/// it takes.
///
/// Invariants
/// 1. What is not known is not claimed: no window, no prefill, no floor, and every parameter allowed.
/// 2. The user's word wins over the table (lib/llm/model_profile.cpp), the longer slug over the shorter.
/// 3. A slug matches a model's name from its start, after everything up to the last `/` and after
///    Bedrock's region and vendor; the next character must be the end or one of `- . _ : @`. A dot and a
///    dash between digits are the same (failover.md 2.3).
///
///     ModelProfiles profiles;
///     profiles.entry("local", "qwen3").context_window = 32'768;
///     const auto profile = profiles.find("local", "qwen3:8b");
///     assert(profile.context_window == 32'768);
///     assert(profile.reasoning_floor == 180s);
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy::llm {

/// Which of `temperature`, `top_p` and `top_k` a request may have.
enum class SamplingRule : unsigned char {
  any,      ///< all that the protocol has
  one_of,   ///< temperature or top_p, not both
  refused,  ///< none: 400, or only the default is taken
};

/// How thinking is asked for.
enum class ThinkingStyle : unsigned char {
  unknown,   ///< sent as the caller wrote it
  none,      ///< the model has none to ask for
  budget,    ///< `thinking: {type: enabled, budget_tokens}`
  adaptive,  ///< `thinking: {type: adaptive}` and `output_config.effort`; a budget is a 400
  effort,    ///< `reasoning_effort`, `reasoning.effort`
};

/// What is known of one model.
class ModelProfile {
 public:
  ModelProfile() noexcept {}

  std::optional<std::uint64_t> context_window;  ///< tokens, prompt and answer together
  bool accepts_prefill = false;                 ///< an answer begun by the caller may be continued
  Clock::duration reasoning_floor{};            ///< no stall is called before this; zero: no floor
  SamplingRule sampling = SamplingRule::any;
  ThinkingStyle thinking = ThinkingStyle::unknown;
  OutputLimit output_limit = OutputLimit::max_tokens;
  bool stop_sequences = true;  ///< `stop` is taken
};

/// The table, and what the user knows better. A value: copies are independent. Safe to read from many
/// threads.
class UNDERSTUDY_API ModelProfiles {
 public:
  ModelProfiles() noexcept {}

  /// What is known of `model` at `provider`.
  ModelProfile find(std::string_view provider, std::string_view model) const;

  /// The user's own entry, to be changed: it begins as `find` says. It serves every model that the slug
  /// matches, at this provider, or at any if `provider` is empty. Valid until the next call.
  ModelProfile& entry(std::string_view provider, std::string_view slug);

 private:
  struct Entry {
    std::string provider;
    std::string slug;
    ModelProfile profile;
  };
  const Entry* own(std::string_view provider, std::string_view model) const;

  std::vector<Entry> entries_;
};

/// Whether the table knows the model's family.
UNDERSTUDY_API bool known_family(std::string_view model);

}  // namespace understudy::llm
