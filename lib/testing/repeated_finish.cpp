#include "repeated_finish.hpp"

#include <string_view>
#include <utility>

namespace understudy::testing {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

RepeatedFinish::RepeatedFinish(const Reply& reply, llm::Protocol protocol, std::string id,
                               std::string model, bool called)
    : how_(reply.finishes),
      before_(reply.early_finish),
      protocol_(protocol),
      id_(std::move(id)),
      model_(std::move(model)),
      called_(called) {}

void RepeatedFinish::in_content(std::size_t i, std::string& part) {
  if (part.empty()) {
    return;
  }
  ++parts_;
  if (how_ == Reply::Finishes::taken_back && parts_ > 1 && i >= before_ && !reported_) {
    reported_ = true;
    part.insert(0, frame());
  }
  if (how_ != Reply::Finishes::with_every_event) {
    return;
  }
  if (protocol_ == llm::Protocol::openai_chat) {  // beside the content
    replace_all(part, R"("finish_reason":null)", R"("finish_reason":"stop")");
  } else if (parts_ > 1) {
    part = (parts_ == 2 ? frame() : std::string()) + part + frame();
  }
}

void RepeatedFinish::at_end(std::string& part) const {
  if (how_ != Reply::Finishes::twice) {
    return;
  }
  const auto second = frame();
  if (second.empty()) {  // the finish is the last frame, and the end
    part += part.substr(part.rfind("\n\n", part.size() - 3) + 2);
  } else {
    part.insert(part.find("\n\n") + 2, second);
  }
}

/// In an event of its own. Empty: the protocol has none.
std::string RepeatedFinish::frame() const {
  switch (protocol_) {
    case llm::Protocol::anthropic_messages:
      return std::string("event: message_delta\ndata: ") +
             R"({"type":"message_delta","delta":{"stop_reason":")" +
             (called_ ? "tool_use" : "end_turn") +
             R"(","stop_sequence":null},"usage":{"output_tokens":7}})"
             "\n\n";
    case llm::Protocol::openai_chat:  // compatible servers say `stop` after calls too
      return R"(data: {"id":")" + id_ +
             R"(","object":"chat.completion.chunk","created":1790000000,)" + R"("model":")" +
             model_ +
             R"(","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
             "\n\n";
    case llm::Protocol::openai_responses: break;
  }
  return {};
}

}  // namespace understudy::testing
