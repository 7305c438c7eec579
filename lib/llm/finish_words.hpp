/// What the words mean with which providers end an answer: `finish_reason`, `stop_reason`, the reason of an incomplete
/// response (protocols.md 9.3).
///
/// Each protocol has a table of its own words. Compatible servers send those of other APIs as well, in any of the three
/// protocols, so words that are not in the protocol's table are looked up in one that all share. A word that is in
/// neither is a failure if it says so (`upstream_timeout`), and else `other`.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "understudy/llm/event.hpp"
#include "understudy/text/detail/arena.hpp"

namespace understudy::llm::detail {

struct FinishWord {
  std::string_view word;
  std::optional<FinishReason> reason;  // nothing: the provider failed
  std::string_view source;             // the documentation or public issue that has it
};

/// What `word` means in a protocol with these words of its own; nothing: the provider failed. Case, `-` and `_` do not
/// count.
std::optional<FinishReason> meaning_of(std::string_view word, std::span<const FinishWord> own);

/// Whether a part of the word says that something failed.
bool says_failure(std::string_view word);

/// A sentence about a word that reports a failure.
std::string_view failure_message(std::string_view word, text::Arena& arena);

}  // namespace understudy::llm::detail
