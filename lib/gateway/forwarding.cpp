#include "forwarding.hpp"

#include <algorithm>
#include <array>

#include "text/ascii.hpp"
#include "text/glob.hpp"

namespace understudy::gateway::detail {
namespace {

using llm::Protocol;
using Model = Forwarding::Model;

constexpr std::array messages{Protocol::anthropic_messages};
constexpr std::array chat{Protocol::openai_chat};
constexpr std::array responses{Protocol::openai_responses};
constexpr std::array openai{Protocol::openai_chat, Protocol::openai_responses};

constexpr std::array table{
    Forwarding{"/messages/count_tokens", messages, Model::members, false},
    Forwarding{"/messages/*", messages, Model::untouched, true},
    Forwarding{"/complete", messages, Model::clients, false},
    Forwarding{"/responses/compact", responses, Model::members, false},
    Forwarding{"/responses/input_tokens", responses, Model::members, false},
    Forwarding{"/responses/*", responses, Model::untouched, true},
    Forwarding{"/chat/completions/*", chat, Model::untouched, true},
    Forwarding{"/embeddings", openai, Model::clients, false},
    Forwarding{"/completions", openai, Model::clients, false},
    Forwarding{"/moderations", openai, Model::clients, false},
    Forwarding{"/rerank", openai, Model::clients, false},
    Forwarding{"/images/*", openai, Model::clients, false},
    Forwarding{"/audio/*", openai, Model::clients, false},
    Forwarding{"*", openai, Model::untouched, true},
};
constexpr Forwarding of_messages{"*", messages, Model::untouched, true};

/// The first names of paths that are told apart in health; all others are one.
constexpr std::array<std::string_view, 20> known_names{
    "assistants",  "audio",       "batches",       "chat",       "complete",
    "completions", "containers",  "conversations", "embeddings", "evals",
    "files",       "fine_tuning", "images",        "messages",   "moderations",
    "rerank",      "responses",   "threads",       "uploads",    "vector_stores"};

bool leaves_its_folder(std::string_view path) {
  const auto lower = text::in_lower_case(path);
  return std::any_of(lower.begin(), lower.end(),
                     [](char c) { return c <= ' ' || c == '\\' || c == 0x7f; }) ||
         lower.find("..") != std::string::npos || lower.find("//") != std::string::npos ||
         lower.find("/./") != std::string::npos || lower.find("%2e") != std::string::npos ||
         lower.find("%2f") != std::string::npos || lower.find("%5c") != std::string::npos;
}

}  // namespace

const Forwarding& forwarding_of(std::string_view below, bool speaks_messages) {
  const auto* const row = std::find_if(table.begin(), table.end(), [&](const Forwarding& one) {
    return text::matches_glob(one.path, below);
  });
  const bool general = row == table.end() || row->path == "*";
  return general && speaks_messages ? of_messages : *row;
}

std::string purpose_of(std::string_view below) {
  for (const auto& row : table) {
    if (row.path == below) {
      return std::string(below);
    }
  }
  const auto name = below.substr(1, std::min(below.find('/', 1), below.size()) - 1);
  const bool known = std::find(known_names.begin(), known_names.end(), name) != known_names.end();
  return known ? "/" + std::string(name) : "/*";
}

bool is_forwarded(const std::vector<std::string>& allowed, std::string_view below) {
  constexpr std::string_view administration = "/organization";
  const bool administers = below.starts_with(administration);
  return !leaves_its_folder(below) &&
         std::any_of(allowed.begin(), allowed.end(), [&](const std::string& pattern) {
           return text::matches_glob(pattern, below) &&
                  (!administers || pattern.starts_with(administration));
         });
}

}  // namespace understudy::gateway::detail
