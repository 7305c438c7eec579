/// The deltas of many a stream differ in nothing but their text, their number and their padding: a payload
/// that is like those before is read by comparing it, which costs a fraction of parsing it.
///
/// It is right because of what is asked of them. The last two that were parsed, one after the other, each
/// said a single piece of text, of the same block; so to read one more changes nothing in the reader. The
/// new one is the same bytes around a string, which is the text, and around another string and a number, of
/// which no reader takes notice (OpenAI's `obfuscation` and `sequence_number`).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/llm/event.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy::llm::detail {

class DeltaTemplate {
 public:
  /// `data` was parsed, and said `events` from number `first` on; `model` is where the model's name stands.
  void learn(std::string_view name, std::string_view data, const std::vector<Event>& events,
             std::size_t first, std::string_view model);

  /// Something else was read.
  void forget() {
    known_ = false;
    gap_count_ = 0;
  }

  /// Whether `data` is alike; then its event is appended, its text unescaped into `arena` if need be.
  bool read(std::string_view name, std::string_view data, std::vector<Event>& events,
            text::Arena& arena, std::string_view& model) const;

 private:
  /// Where payloads may differ: before the byte `at` of `around_`.
  struct Gap {
    enum class Kind : unsigned char { said, number, padding };

    std::size_t at;
    Kind kind;
  };

  void note(std::string_view name, std::string_view data, std::string_view said,
            std::string_view model);
  bool alike(std::string_view name, std::string_view data, std::string_view& said) const;

  bool known_ = false;
  std::string name_;    // the event's, by which some readers go
  std::string around_;  // the payload without what stands in the gaps
  std::array<Gap, 3> gaps_{};
  std::size_t gap_count_ = 0;  // none: nothing was noted
  std::size_t model_at_ = 0;
  std::size_t model_size_ = 0;
  std::size_t block_ = 0;
  bool reasoning_ = false;
  bool refusal_ = false;
};

}  // namespace understudy::llm::detail
