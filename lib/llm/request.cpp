#include "understudy/llm/request.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace understudy::llm {
namespace {

std::size_t characters(const TextPart& part) { return part.text.size(); }
std::size_t characters(const ImagePart&) { return 0; }

/// Pictures, sounds and documents by their bytes, which are no text of the prompt. Anthropic's document may be
/// text: then it counts. (Within a string of JSON the word's quotes would be escaped.)
bool of_bytes(const OpaquePart& part) {
  constexpr std::array<std::string_view, 8> types{
      "file",        "input_file", "input_audio",           "image",
      "input_image", "video_url",  "image_generation_call", "computer_call_output"};
  return part.type == "document" ? part.json.find("\"base64\"") != std::string::npos
                                 : std::find(types.begin(), types.end(), part.type) != types.end();
}
std::size_t characters(const OpaquePart& part) { return of_bytes(part) ? 0 : part.json.size(); }
std::size_t characters(const ToolCallPart& part) {
  return part.name.size() + part.arguments.size();
}
std::size_t characters(const ReasoningPart& part) { return part.text.size(); }
std::size_t characters(const Tool& tool) {
  return tool.provider_tool.empty()
             ? tool.name.size() + tool.description.size() + tool.schema.size()
             : tool.provider_tool.size();
}
std::size_t characters(const ToolResultPart& part) {
  std::size_t sum = 0;
  for (const auto& tool : part.tools) {
    sum += characters(tool);
  }
  for (const auto& content : part.content) {
    sum += std::visit([](const auto& c) { return characters(c); }, content);
  }
  return sum;
}

}  // namespace

std::uint64_t estimated_tokens(const Request& request) noexcept {
  std::size_t sum = 0;
  for (const auto& part : request.system) {
    sum += part.text.size();
  }
  for (const auto& message : request.messages) {
    for (const auto& part : message.parts) {
      sum += std::visit([](const auto& p) { return characters(p); }, part);
    }
  }
  for (const auto& tool : request.tools) {
    sum += characters(tool);
  }
  return sum / 4;
}

}  // namespace understudy::llm
