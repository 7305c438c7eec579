/// Documents in a conversation, which each protocol has its own part for (protocols.md 8).
#pragma once

#include <optional>
#include <string>

#include "understudy/llm/protocol.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::llm::detail {

struct Document {
  /// With its bytes, as OpenAI's protocols have them.
  std::string data_url() const { return "data:" + media_type + ";base64," + data; }

  std::string name;
  std::string media_type;
  std::string data;  ///< base64, unless `plain`; empty: it is at `url`
  std::string url;
  bool plain = false;  ///< the data are text
};

/// The part as one of another protocol; a document of plain text, which Anthropic alone has, as text. Nothing
/// if it is not a document, or one that only its provider can find: by a file id, or by an address where the target
/// takes none.
std::optional<ToolResultPart::Content> translated_document(const OpaquePart& part, Protocol target);

}  // namespace understudy::llm::detail
