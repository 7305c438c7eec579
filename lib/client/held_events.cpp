#include "understudy/client/detail/held_events.hpp"

namespace understudy::detail {
namespace {

/// Points every view of an event at a copy of what it shows.
template <class Keep>
class Rehome {
 public:
  explicit Rehome(Keep keep) : keep_(keep) {}

  void operator()(llm::Start& e) const { views(e.id, e.model); }
  void operator()(llm::Text& e) const { views(e.text); }
  void operator()(llm::Reasoning& e) const { views(e.text, e.id); }
  void operator()(llm::ReasoningSeal& e) const { views(e.data, e.id); }
  void operator()(llm::ToolStart& e) const { views(e.id, e.name, e.name_space); }
  void operator()(llm::ToolArguments& e) const { views(e.json); }
  void operator()(llm::Finish& e) const { views(e.native, e.stop_sequence); }
  void operator()(llm::Error& e) const { views(e.type, e.code, e.message, e.json); }
  void operator()(llm::Other& e) const { views(e.type); }
  void operator()(llm::ToolEnd& e) const { views(e.restated); }
  void operator()(llm::Usage&) const {}
  void operator()(llm::End&) const {}
  void operator()(llm::Heartbeat&) const {}
  void operator()(llm::Undecodable&) const {}  // its text lives for ever
  void operator()(llm::Retract&) const {}

 private:
  template <class... Views>
  void views(Views&... all) const {
    ((all = keep_(all)), ...);
  }

  Keep keep_;
};

}  // namespace

std::string_view HeldEvents::keep(std::string_view text) {
  bytes_ += text.size();
  return arena_.keep(text);
}

void HeldEvents::add(const llm::Event& event) {
  llm::Event& held = *events_.emplace_back(std::make_unique<llm::Event>(event));
  bytes_ += sizeof(llm::Event);
  std::visit(Rehome([this](std::string_view text) { return keep(text); }), held.body);
  held.raw = keep(event.raw);
  if (!event.model.empty()) {  // a part of `raw`
    const auto offset = static_cast<std::size_t>(event.model.data() - event.raw.data());
    held.model = held.raw.substr(offset, event.model.size());
  }
}

}  // namespace understudy::detail
