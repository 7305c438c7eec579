/// Ids of items that this library made up: how they are written, and how they are taken out of a client's request.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace understudy::llm::detail::openai_responses {

/// Returns the id of the item with that index in the answer with that id. OpenAI accepts letters, digits, `_` and `-`,
/// at most 64.
std::string item_id(std::string_view prefix, std::string_view answer, std::size_t index);

/// Returns the body of a client's request without the ids of items that this library made up, which no provider knows:
/// one that is sent to OpenAI is answered with 404 "Item with id ... not found". Returns nothing if there are none.
/// Reasoning that has such an id and no encrypted content came from another maker, so the whole item is left out.
std::optional<std::string> without_made_up_ids(std::string_view body);

}  // namespace understudy::llm::detail::openai_responses
