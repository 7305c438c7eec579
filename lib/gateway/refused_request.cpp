#include "refused_request.hpp"

#include <algorithm>
#include <string_view>

namespace understudy::gateway::detail {

std::optional<ErrorAnswer> refused_request(const Config& config, const llm::Request& request) {
  const auto has = [&](std::string_view name, std::string_view harmless = "null") {
    return std::any_of(request.extra.begin(), request.extra.end(), [&](const auto& field) {
      return field.first == name && field.second != "null" && field.second != harmless;
    });
  };
  if (request.origin == llm::Protocol::openai_chat && !request.stream && has("n", "1")) {
    return refusal(
        400, "`n`: an answer that is not streamed has one choice; set it to 1, or ask for a stream",
        llm::Protocol::openai_chat, "unsupported_parameter");
  }
  if (request.origin == llm::Protocol::anthropic_messages && has("thread")) {
    return refusal(400, "`thread`: conversations are not stored; send all of it in `messages`",
                   llm::Protocol::anthropic_messages, "thread_unsupported_request");
  }
  const auto& chain = config.route(request.model).chain;
  const bool responses_alone = std::all_of(chain.begin(), chain.end(), [&](const auto& member) {
    return config.providers.at(member.provider).protocol == llm::Protocol::openai_responses;
  });
  if (request.origin == llm::Protocol::openai_responses && !responses_alone &&
      (has("previous_response_id") || has("conversation"))) {
    return refusal(400,
                   "`previous_response_id`, `conversation`: not every member that may answer for "
                   "this model has it; send the whole conversation in `input`",
                   llm::Protocol::openai_responses, "unsupported_parameter");
  }
  return std::nullopt;
}

}  // namespace understudy::gateway::detail
