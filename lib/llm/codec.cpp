#include "understudy/llm/codec.hpp"

#include <stdexcept>

#include "text/json.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm {

void throw_exception_from_error(const RequestFault& fault, const boost::source_location&) {
  throw std::logic_error(fault.message);
}

void EventEncoder::follow(const Event& event) {
  write(event, unused_);
  unused_.clear();
}

void forward(const Event& event, std::string_view model, std::string& out) {
  if (event.model.empty()) {
    out += event.raw;
    return;
  }
  const auto at = static_cast<std::size_t>(event.model.data() - event.raw.data());
  out += event.raw.substr(0, at);
  append_json_escaped(out, model);
  out += event.raw.substr(at + event.model.size());
}

std::optional<std::string> with_members(std::string_view body, const ExtraFields& members) {
  text::Arena arena;
  json::Parser parser(json::padded_copy(body, arena), arena);
  const auto object = parser.object();
  if (!object) {
    return std::nullopt;
  }
  std::string out = "{";
  std::vector<bool> written(members.size());
  const auto write = [&](std::string_view name, std::string_view value) {
    out += out.size() > 1 ? ",\"" : "\"";
    out.append(name).append("\":").append(value);
  };
  const bool whole = json::members(*object, [&](auto key, json::ondemand::value& value) {
    const auto name = json::name(key);
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].first == name) {
        if (!written[i]) {
          write(name, members[i].second);
        }
        written[i] = true;
        return true;
      }
    }
    const auto text = json::raw(value);
    write(name, text);
    return !text.empty();
  });
  if (!whole) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!written[i]) {
      write(members[i].first, members[i].second);
    }
  }
  return out + "}";
}

std::optional<std::string> member_text(std::string_view body, std::string_view name) {
  text::Arena arena;
  json::Parser parser(json::padded_copy(body, arena), arena);
  const auto object = parser.object();
  std::optional<std::string> found;
  if (object) {
    json::members(*object, [&](auto key, json::ondemand::value& value) {
      if (json::name(key) == name) {
        found = json::string(value, arena);
      }
      return !found;
    });
  }
  return found;
}

}  // namespace understudy::llm
