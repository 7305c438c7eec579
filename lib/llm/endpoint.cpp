#include "understudy/llm/endpoint.hpp"

#include <algorithm>
#include <string_view>

#include "text/ascii.hpp"

namespace understudy::llm {
namespace {

/// Whether the request has a member of Chat that Responses has not, with a value that says something.
bool wants_chat(const Request& request) {
  return request.origin == Protocol::openai_chat &&
         std::any_of(request.extra.begin(), request.extra.end(), [](const auto& member) {
           const auto& [name, json] = member;
           return (name == "n" && json != "1" && json != "null") ||
                  (name == "logprobs" && json == "true") || name == "top_logprobs";
         });
}

/// Whether Chat can do what the request asks of the model.
bool works_on_chat(const Request& request, ToolsOnChat support) {
  const auto& effort = request.thinking.effort;
  if (request.tools.empty()) {
    return true;
  }
  switch (support) {
    case ToolsOnChat::accepted: return true;
    case ToolsOnChat::refused: return false;
    case ToolsOnChat::needs_effort_none: return effort == "none";
    case ToolsOnChat::not_with_effort: return effort.empty() || effort == "none";
  }
  return true;
}

bool is_placeholder(char c) { return text::is_upper(c) || c == '_'; }

/// Whether the text is the pattern, whose words in capital letters stand for anything but a dot or a slash.
bool fits(std::string_view text, std::string_view pattern) {
  while (!pattern.empty()) {
    if (!text::is_upper(pattern.front())) {
      if (text.empty() || text.front() != pattern.front()) {
        return false;
      }
      text.remove_prefix(1);
      pattern.remove_prefix(1);
      continue;
    }
    const auto word = std::find_if_not(pattern.begin(), pattern.end(), is_placeholder);
    pattern.remove_prefix(static_cast<std::size_t>(word - pattern.begin()));
    // What follows a word of the user's begins with a character that the word may have too: "LOCATION-aiplatform".
    const auto end = std::min(text.find_first_of("./"), text.size());
    for (std::size_t length = end; length > 0; --length) {
      if (fits(text.substr(length), pattern)) {
        return true;
      }
    }
    return false;
  }
  return text.empty();
}

std::string_view without_slashes(std::string_view path) {
  return path.substr(0, path.find_last_not_of('/') + 1);
}

}  // namespace

Protocol endpoint_for(const Request& request, const ModelFacts& facts) {
  const bool responses = request.origin == Protocol::openai_responses ||
                         (facts.tools_on_chat && !works_on_chat(request, *facts.tools_on_chat));
  return responses && !wants_chat(request) ? Protocol::openai_responses : Protocol::openai_chat;
}

bool is_address_of(const BackEnd& back_end, const Url& url) {
  std::string_view known = back_end.base_url;
  const std::string_view scheme = url.endpoint.scheme == Scheme::https ? "https://" : "http://";
  if (!known.starts_with(scheme)) {
    return false;
  }
  known.remove_prefix(scheme.size());
  const std::string_view path(url.path);
  const auto query = std::min(path.find('?'), path.size());
  const auto address =
      authority(url.endpoint) + std::string(without_slashes(path.substr(0, query)));
  return fits(address, known);
}

}  // namespace understudy::llm
