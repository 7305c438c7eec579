#include "understudy/llm/event.hpp"

namespace understudy::llm {
namespace {

/// By kind of event; protocols.md 9.1.
struct Progress {
  bool operator()(const Start&) const { return false; }
  bool operator()(const Text& text) const { return !text.text.empty(); }
  bool operator()(const Reasoning& reasoning) const { return !reasoning.text.empty(); }
  bool operator()(const ReasoningSeal&) const { return true; }
  bool operator()(const ToolStart&) const { return true; }
  bool operator()(const ToolArguments& arguments) const { return !arguments.json.empty(); }
  bool operator()(const ToolEnd&) const { return true; }
  bool operator()(const Usage&) const { return false; }
  bool operator()(const Finish&) const { return true; }
  bool operator()(const End&) const { return true; }
  bool operator()(const Heartbeat&) const { return false; }
  bool operator()(const Error&) const { return false; }
  bool operator()(const Other& other) const { return other.progress; }
  bool operator()(const Undecodable&) const { return false; }
  bool operator()(const Retract&) const { return false; }
};

}  // namespace

bool is_progress(const Event& event) noexcept { return std::visit(Progress(), event.body); }

std::string_view to_string(FinishReason reason) noexcept {
  switch (reason) {
    case FinishReason::stop: return "stop";
    case FinishReason::stop_sequence: return "stop_sequence";
    case FinishReason::length: return "length";
    case FinishReason::tool_use: return "tool_use";
    case FinishReason::refusal: return "refusal";
    case FinishReason::pause: return "pause";
    case FinishReason::context_full: return "context_full";
    case FinishReason::other: return "other";
  }
  return "";
}

}  // namespace understudy::llm
