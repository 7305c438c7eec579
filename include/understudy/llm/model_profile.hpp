/// What a chain must know about a model before a request is sent to it: its context window, whether it continues an
/// answer, and how long it may think. What it accepts is in the catalog (catalog/catalog.hpp).
///
/// Invariants
/// 1. Nothing is claimed about unknown models: no window, no prefill, no reasoning floor.
/// 2. The user's entries take precedence over the catalog and the table of floors (lib/llm/model_profile.cpp), and longer
///    slugs over shorter ones.
/// 3. A slug matches the beginning of a model's name, after removing everything up to the last `/` and Bedrock's region
///    and vendor. The next character must be the end or one of `- . _ : @`. A dot and a dash between digits are
///    equivalent (failover.md 2.3).
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
#include "understudy/runtime/clock.hpp"

namespace understudy::llm {

class Catalog;

/// What is known about one model.
class ModelProfile {
 public:
  ModelProfile() noexcept {}

  std::optional<std::uint64_t> context_window;  ///< tokens, prompt and answer together
  std::optional<bool> prefill;  ///< the user's word on it, which the catalog does not contradict
  std::string family;  ///< the model whose facts in the catalog apply; empty: its own name's
  bool accepts_prefill = false;       ///< the model continues an answer that the caller has begun
  Clock::duration reasoning_floor{};  ///< no automatic stall limit is shorter; zero: no floor
};

/// The catalog, the table of floors and the user's entries. A value: copies are independent. Threads: const functions may be called
/// concurrently.
class UNDERSTUDY_API ModelProfiles {
 public:
  ModelProfiles() noexcept {}
  /// With another catalog than the built-in one; it must outlive the profiles and their copies.
  explicit ModelProfiles(const Catalog& catalog) noexcept : catalog_(&catalog) {}

  /// Returns what is known about `model` at `provider`.
  ModelProfile find(std::string_view provider, std::string_view model) const;

  /// Returns the user's entry for the slug, for the caller to change; a new entry is initialized with the result of
  /// `find`. It applies to every model that the slug matches, at this provider, or at any provider if `provider` is
  /// empty. The reference is valid until the next call.
  ModelProfile& entry(std::string_view provider, std::string_view slug);

 private:
  struct Entry {
    std::string provider;
    std::string slug;
    ModelProfile profile;
  };
  const Entry* own(std::string_view provider, std::string_view model) const;

  const Catalog* catalog_ = nullptr;  // null: the built-in one
  std::vector<Entry> entries_;
};

/// Returns whether the catalog or the table of floors contains the model's family.
UNDERSTUDY_API bool known_family(std::string_view model);

}  // namespace understudy::llm
