/// Images in tool messages of Chat, which some back ends refuse there: they follow the results as a message of the user.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace understudy::llm::detail {

/// The body with the images of each run of tool messages in a user message behind the run; nothing if there are none, or
/// the body is not well-formed. Linear in the body.
std::optional<std::string> with_images_after_results(std::string_view body);

}  // namespace understudy::llm::detail
