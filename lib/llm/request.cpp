#include "understudy/llm/request.hpp"

namespace understudy {
namespace {

std::size_t characters(const TextPart& part) { return part.text.size(); }
std::size_t characters(const ImagePart&) { return 0; }
std::size_t characters(const OpaquePart& part) { return part.json.size(); }
std::size_t characters(const ToolCallPart& part) {
  return part.name.size() + part.arguments.size();
}
std::size_t characters(const ReasoningPart& part) { return part.text.size(); }
std::size_t characters(const ToolResultPart& part) {
  std::size_t sum = 0;
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
    sum +=
        tool.name.size() + tool.description.size() + tool.schema.size() + tool.provider_tool.size();
  }
  return sum / 4;
}

}  // namespace understudy
