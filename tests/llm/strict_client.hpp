/// The strictest client of each protocol: it reads a stream's JSON with its own eyes and says what is wrong with it.
///
/// Invariants
/// 1. It knows nothing of our decoders and encoders; its rules are protocols.md 2.2, 3.2 and 4.2, and what
///    the official SDKs and the Vercel AI SDK, which opencode uses, demand.
/// 2. A stream that breaks off is as valid as its beginning; `complete` says whether the terminal came. After a
///    failure blocks and items may be left open, as the makers leave them.
///
/// 3. What we write is also compared with the makers' schemas (strict_client/schema.hpp): members, types, words.
///
///     strict_client::Verdict verdict = strict_client::read(Protocol::openai_chat, bytes);
///     CHECK(verdict.complaint == "");
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "strict_client/anthropic.hpp"
#include "strict_client/chat.hpp"
#include "strict_client/responses.hpp"
#include "understudy/llm/protocol.hpp"

namespace strict_client {

using understudy::llm::Protocol;

inline std::unique_ptr<detail::Reader> reader_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::anthropic_messages: return std::make_unique<detail::Anthropic>();
    case Protocol::openai_chat: return std::make_unique<detail::Chat>();
    case Protocol::openai_responses: return std::make_unique<detail::Responses>();
  }
  return nullptr;
}

/// A stream that a client would get, framed by LF. `ours`: written by us, so that the schemas are checked too.
inline Verdict read(Protocol protocol, std::string_view bytes, bool ours = false) {
  const auto owned = reader_of(protocol);
  detail::Reader& reader = *owned;
  reader.ours = ours;
  simdjson::dom::parser parser;
  std::string name;
  std::string data;
  while (!bytes.empty()) {
    auto line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.starts_with("event: ")) {
      name = line.substr(7);
    } else if (line.starts_with("data: ")) {
      data += line.substr(6);
    } else if (line.empty() && !data.empty()) {
      element json;
      if (data == "[DONE]") {
        reader.done();
      } else if (parser.parse(data).get(json) != simdjson::SUCCESS) {
        reader.verdict.complaint = "no JSON: " + data;
      } else {
        reader.event(name, json);
      }
      if (!reader.verdict.complaint.empty()) {
        reader.verdict.complaint += ", in " + data.substr(0, 400);
        break;
      }
      name.clear();
      data.clear();
    }
  }
  return reader.verdict;
}

/// The body of a whole answer that we wrote.
inline Verdict read_whole(Protocol protocol, const std::string& body) {
  const auto reader = reader_of(protocol);
  reader->ours = true;
  simdjson::dom::parser parser;
  element json;
  if (parser.parse(body).get(json) == simdjson::SUCCESS) {
    reader->whole(json);
  } else {
    reader->verdict.complaint = "no JSON";
  }
  return reader->verdict;
}

}  // namespace strict_client
