/// Joins characters that a provider has divided between two events. In JSON, a character beyond U+FFFF may be written
/// as two escapes (`\ud83c` `\udf1e`), and servers that flush after each token send them in two events
/// (mlc-ai/mlc-llm#1142, elizaOS/eliza#30904).
///
/// The readers leave half a character at either end of a piece of text as it is (json::unescaped_piece). Here it waits
/// for the other half in the next piece of the same block. A half that remains alone becomes U+FFFD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "understudy/llm/event.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy::llm::detail {

/// See the top of the file. A value; it serves one answer.
class SplitCharacters {
 public:
  /// Joins halves in `events` from index `first` on. New text is written into `arena`. At least as many events remain.
  void join(std::vector<Event>& events, std::size_t first, text::Arena& arena);

 private:
  /// A block whose text so far ends with half a character.
  struct Waiting {
    std::size_t block;
    std::size_t kind;  ///< the index of the body's alternative
    bool refusal;
    std::uint32_t half;
  };

  void complete(std::size_t block, std::string_view& text, text::Arena& arena);
  std::size_t give_up(std::vector<Event>& events, std::size_t at);
  void hold(Event::Body& body, std::size_t block, std::string_view& text, text::Arena& arena);

  std::vector<Waiting> waiting_;
};

}  // namespace understudy::llm::detail
