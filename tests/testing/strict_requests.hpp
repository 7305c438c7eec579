/// Requests for strict back ends: the plainest one of each, and variants of it.
#pragma once

#include <string>
#include <string_view>

#include "understudy/testing/strict_backend.hpp"

namespace strict_requests {

using understudy::HttpFields;
using understudy::testing::StrictBackend;

/// A request with the members in `extra` (`"name":value,...`) in place of, or beside, the plain ones.
inline std::string request(const StrictBackend& backend, std::string_view extra = {}) {
  std::string body = "{";
  const auto add = [&](std::string_view name, const std::string& value) {
    if (extra.find('"' + std::string(name) + "\":") == std::string_view::npos) {
      body += (body.size() > 1 ? ",\"" : "\"") + std::string(name) + "\":" + value;
    }
  };
  const bool vertex = backend.id() == "vertex-anthropic";
  if (!vertex) {
    add("model", '"' + std::string(backend.default_model()) + '"');
  }
  if (backend.protocol() == "openai_responses") {
    add("input", R"([{"type":"message","role":"user","content":"hi"}])");
    if (backend.id() == "codex") {
      add("instructions", R"("Be brief.")");
      add("stream", "true");
      add("store", "false");
    }
  } else {
    add("messages", R"([{"role":"user","content":"hi"}])");
    if (backend.protocol() == "anthropic_messages") {
      add("max_tokens", "100");
    }
    if (vertex) {
      add("anthropic_version", R"("vertex-2023-10-16")");
    }
  }
  if (!extra.empty()) {
    body += (body.size() > 1 ? "," : "") + std::string(extra);
  }
  return body + "}";
}

/// The headers of a plain request, and `anthropic-beta` if there are betas.
inline HttpFields headers(std::string_view betas = {}) {
  HttpFields fields;
  fields.add("authorization", "Bearer key-1");
  fields.add("anthropic-version", "2023-06-01");
  fields.add("chatgpt-account-id", "account-1");
  if (!betas.empty()) {
    fields.add("anthropic-beta", betas);
  }
  return fields;
}

}  // namespace strict_requests
