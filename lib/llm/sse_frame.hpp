/// One event of a stream that is being written.
#pragma once

#include <string>
#include <string_view>

#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {

/// Appends `event: NAME` (if there is a name) and `data: ` + what `write` puts into a JSON object.
template <class Write>
void append_event(std::string& out, std::string_view name, Write write) {
  if (!name.empty()) {
    out.append("event: ").append(name).append("\n");
  }
  out += "data: ";
  JsonWriter json(out);
  json.begin_object();
  write(json);
  json.end_object();
  out += "\n\n";
}

/// A name that the provider chose and that is repeated in every event. A long one would multiply the stream.
inline std::string_view repeatable(std::string_view name) { return name.substr(0, 512); }

/// Keeps the connection, and says nothing.
inline void append_comment(std::string& out) { out += ": keep-alive\n\n"; }

}  // namespace understudy::llm::detail
