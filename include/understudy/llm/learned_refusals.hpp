/// What members were found not to support, so that the next request is sent without it at once.
///
/// Invariants
/// 1. A lesson is kept only after the mended request has succeeded, and only about members that tune an answer: never
///    about tools, schemas, formats, messages, roles or the choice of tools, and never about a single value.
/// 2. A lesson applies to one provider, model and condition (`condition_of`). After `lifetime` one request tests
///    whether it still holds, while the others still follow it.
/// 3. Bounded: at most `most` lessons. Beyond that, all lessons of the condition whose first one is the oldest go.
///
///     LearnedRefusals lessons;
///     lessons.learn(key, "drop:verbosity");
///     for (const auto& mend : lessons.mends(key)) { body = without_part(body, mend).value_or(body); }
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/runtime/clock.hpp"

namespace understudy::llm {

/// See the top of the file. Threads: any.
class UNDERSTUDY_API LearnedRefusals {
 public:
  static constexpr std::size_t most = 1'000;
  static constexpr Clock::duration lifetime = std::chrono::minutes(15);

  LearnedRefusals() {}

  /// The names of the mends (RefusedPart::mend) to apply to a request with this key. One caller after `lifetime` does not
  /// get the lesson that it thereby tests.
  std::vector<std::string> mends(const std::string& key);

  /// A request with the key succeeded after this mend. Not every mend is kept; see invariant 1.
  void learn(const std::string& key, const std::string& mend);

  /// A request with the key succeeded with `applied` alone: lessons that it tested no longer hold.
  void succeeded(const std::string& key, const std::vector<std::string>& applied);

  /// The number of lessons that are kept.
  std::size_t size() const;

 private:
  struct Lesson {
    std::string mend;
    Clock::time_point since;
    bool tested = false;  // by a request that is under way
  };

  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Lesson>> lessons_;
  std::size_t count_ = 0;
};

/// The key of a request: what is refused may depend on the effort and on whether there are tools.
UNDERSTUDY_API std::string condition_of(std::string_view provider, std::string_view model,
                                        std::string_view effort, bool has_tools);

/// Whether a mend of that name can be a lesson.
UNDERSTUDY_API bool is_learnable(std::string_view mend) noexcept;

}  // namespace understudy::llm
