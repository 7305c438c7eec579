/// Decodes a delta by comparing it with the previous one. In many streams deltas differ only in their text, number and
/// padding, and a comparison costs a fraction of parsing.
///
/// This is correct because of its conditions. The last two payloads that were parsed, in succession, each produced a
/// single piece of text of the same block, so one more such payload does not change the state of the reader. The new
/// payload consists of the same bytes around a string, which is the text, and around another string and a number that
/// no reader uses (OpenAI's `obfuscation` and `sequence_number`).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/event.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy::llm::detail {

/// See the top of the file.
class DeltaTemplate {
 public:
  /// Records that `data` was parsed into `events` from index `first` on. `model` is the model's name as a part of
  /// `data`.
  void learn(std::string_view name, std::string_view data, const std::vector<Event>& events,
             std::size_t first, std::string_view model);

  /// Records that something else was read.
  void forget() {
    known_ = false;
    gap_count_ = 0;
  }

  /// Returns whether `data` matches the template. If so, appends its event; text with escapes is unescaped into
  /// `arena`.
  bool read(std::string_view name, std::string_view data, std::vector<Event>& events,
            text::Arena& arena, std::string_view& model) const;

 private:
  /// A place where payloads may differ: before the byte `at` of `around_`.
  struct Gap {
    enum class Kind : unsigned char { said, number, padding };

    std::size_t at;
    Kind kind;
  };

  void note(std::string_view name, std::string_view data, std::string_view said,
            std::string_view model);
  bool alike(std::string_view name, std::string_view data, std::string_view& said) const;

  bool known_ = false;
  std::string name_;    // the name of the event, which some readers use
  std::string around_;  // the payload without the contents of the gaps
  std::array<Gap, 3> gaps_{};
  std::size_t gap_count_ = 0;  // zero: no payload is recorded
  std::size_t model_at_ = 0;
  std::size_t model_size_ = 0;
  std::size_t block_ = 0;
  bool reasoning_ = false;
  bool refusal_ = false;
};

}  // namespace understudy::llm::detail
