#include "understudy/client/detail/held_events.hpp"

#include <algorithm>

namespace understudy::detail {
namespace {

/// Points every view of an event at a copy of what it shows.
template <class Keep>
class Rehome {
 public:
  explicit Rehome(Keep keep) : keep_(keep) {}

  void operator()(Start& e) const { views(e.id, e.model); }
  void operator()(Text& e) const { views(e.text); }
  void operator()(Reasoning& e) const { views(e.text, e.id); }
  void operator()(ReasoningSeal& e) const { views(e.data, e.id); }
  void operator()(ToolStart& e) const { views(e.id, e.name); }
  void operator()(ToolArguments& e) const { views(e.json); }
  void operator()(Finish& e) const { views(e.native, e.stop_sequence); }
  void operator()(Error& e) const { views(e.type, e.code, e.message, e.json); }
  void operator()(Other& e) const { views(e.type); }
  void operator()(ToolEnd&) const {}
  void operator()(Usage&) const {}
  void operator()(End&) const {}
  void operator()(Heartbeat&) const {}
  void operator()(Undecodable&) const {}  // its text lives for ever
  void operator()(Retract&) const {}

 private:
  template <class... Views>
  void views(Views&... all) const {
    ((all = keep_(all)), ...);
  }

  Keep keep_;
};

}  // namespace

std::string_view HeldEvents::keep(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  char* const copy = arena_.take(text.size());
  std::copy(text.begin(), text.end(), copy);
  bytes_ += text.size();
  return {copy, text.size()};
}

void HeldEvents::add(const Event& event) {
  Event& held = *events_.emplace_back(std::make_unique<Event>(event));
  bytes_ += sizeof(Event);
  std::visit(Rehome([this](std::string_view text) { return keep(text); }), held.body);
  held.raw = keep(event.raw);
  if (!event.model.empty()) {  // a part of `raw`
    const auto offset = static_cast<std::size_t>(event.model.data() - event.raw.data());
    held.model = held.raw.substr(offset, event.model.size());
  }
}

}  // namespace understudy::detail
