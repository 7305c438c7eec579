/// Documents in a conversation, which each protocol has its own part for (protocols.md 8).
#pragma once

#include <optional>

#include "understudy/llm/request.hpp"

namespace understudy::llm::detail {

/// The part in another protocol's words; a document of plain text, which Anthropic alone has, as text. Nothing
/// if it is no document, or one that only its provider can find: by a file id, or by an address where the target
/// takes none.
std::optional<ToolResultPart::Content> translated_document(const OpaquePart& part, Protocol target);

}  // namespace understudy::llm::detail
