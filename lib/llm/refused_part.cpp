#include "understudy/llm/refused_part.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "text/ascii.hpp"
#include "text/json_edit.hpp"
#include "text/numbers.hpp"

namespace understudy::llm {
namespace {

namespace dom = simdjson::dom;
using Kind = RefusedPart::Kind;

/// Qwen's chat template, at vLLM and llama.cpp, and Ollama's renderer, which say it with status 400 or 500:
/// vllm-project/vllm#41114, ollama/ollama#17774, QwenLM/Qwen3.8#186. Claude Code's system messages are in mid-conversation.
constexpr std::string_view system_first = "system message must be at the beginning";

constexpr std::size_t longest_body = std::size_t{64} * 1024;
constexpr std::size_t longest_path = 128;
constexpr std::size_t most_elements = 100'000;

/// How a refusal names a member: what comes before the name, and what comes after it.
struct Wording {
  std::string_view before;  // in lower case
  std::string_view after;
  Kind kind = Kind::parameter;
};
// Sources: the error bodies of docs/backends.md 3.
constexpr std::array wordings{
    Wording{"unsupported parameter: ", ""},  // OpenAI, Codex
    Wording{"unknown parameter: ", ""},      // OpenAI
    Wording{"unrecognized request argument supplied: ", ""},
    Wording{"unsupported value: ", "", Kind::value},        // OpenAI
    Wording{"unsupported param: ", ""},                     // llama.cpp's server
    Wording{"unknown field ", ""},                          // Go's encoding/json
    Wording{"unknown name ", ""},                           // Google
    Wording{"property ", " is unsupported"},                // Groq
    Wording{"argument not supported on this model: ", ""},  // xAI
    Wording{"does not support parameter ", ""},             // xAI
    Wording{"does not support parameters: ", ""},
    Wording{"does not support the ", " parameter"},   // Anthropic
    Wording{"", ": extra inputs are not permitted"},  // Anthropic, Mistral
    Wording{"", " is deprecated for this model"},     // Anthropic
    Wording{"", " is not supported with this model"},
    Wording{"", " is not supported by this model"},
    Wording{"", " is not supported for this model"},
    Wording{"parameter ", " is not supported"},
};

/// Claude docs: Fix a thinking block bound to a different conversation. On Bedrock the setting is `mismatch_behavior`.
constexpr std::string_view bound_elsewhere = "the block is bound to a different conversation";
constexpr std::array<std::string_view, 2> binding_settings{
    "thinking.block_binding.prefix_mismatch_behavior", "thinking.block_binding.mismatch_behavior"};

bool is_path(char c) {
  return text::is_lower(c) || text::is_upper(c) || text::is_digit(c) || c == '_' || c == '.' ||
         c == '[' || c == ']' || c == '-';
}
bool is_quote(char c) { return c == '\'' || c == '"' || c == '`'; }

/// The name at the end of `words`, with or without quotes.
std::string_view last_name(std::string_view words) {
  if (!words.empty() && is_quote(words.back())) {
    words.remove_suffix(1);
  }
  std::size_t begin = words.size();
  while (begin > 0 && is_path(words[begin - 1])) {
    --begin;
  }
  return words.substr(begin);
}

std::string_view first_name(std::string_view words) {
  if (!words.empty() && is_quote(words.front())) {
    words.remove_prefix(1);
  }
  std::size_t end = 0;
  while (end < words.size() && is_path(words[end])) {
    ++end;
  }
  while (end > 0 && words[end - 1] == '.') {  // of the sentence
    --end;
  }
  return words.substr(0, end);
}

/// "messages.1.output_config", "messages[1].name" and "tools.0.custom.defer_loading" with `[]` for the index, and
/// without the names of Anthropic's kinds of tools.
std::string normal_path(std::string_view written) {
  std::string path;
  bool in_tools = false;
  while (!written.empty()) {
    const auto end = std::min(written.find_first_of(".["), written.size());
    auto step = written.substr(0, end);
    const bool bracket = end < written.size() && written[end] == '[';
    written.remove_prefix(std::min(end + 1, written.size()));
    const bool index = !step.empty() && std::all_of(step.begin(), step.end(), text::is_digit);
    if (index) {
      path += "[]";
    } else if (!step.empty() && !(in_tools && step == "custom")) {
      path.append(path.empty() ? "" : ".").append(step);
    }
    in_tools = in_tools || step == "tools";
    if (bracket) {
      path += "[]";
      written.remove_prefix(std::min(written.find(']') + 1, written.size()));
      written.remove_prefix(written.starts_with('.') ? 1 : 0);
    }
  }
  return path;
}

struct Said {
  std::string message;
  std::string parameter;
  bool extra_forbidden = false;
};

std::string_view string_at(const dom::element& object, std::string_view name) {
  std::string_view text;
  dom::element value;
  if (object[name].get(value) != simdjson::SUCCESS || value.get(text) != simdjson::SUCCESS) {
    return {};
  }
  return text;
}

/// Collects what an error says, in whatever form.
void read(const dom::element& value, Said& said, int depth = 0) {
  dom::array list;
  std::string_view text;
  if (depth > 4) {
    return;
  }
  if (value.get(text) == simdjson::SUCCESS) {
    if (said.message.empty()) {
      said.message = text;
    }
  } else if (value.get(list) == simdjson::SUCCESS) {
    for (const auto one : list) {
      read(one, said, depth + 1);
      return;  // of a list, the first element counts
    }
  } else if (value.is_object()) {
    said.extra_forbidden = said.extra_forbidden || string_at(value, "type") == "extra_forbidden";
    if (const auto parameter = string_at(value, "param"); !parameter.empty()) {
      said.parameter = parameter;
    }
    dom::element loc;
    dom::array steps;
    if (value["loc"].get(loc) == simdjson::SUCCESS && loc.get(steps) == simdjson::SUCCESS) {
      std::string path;
      for (const auto step : steps) {
        std::string_view word;
        if (step.get(word) == simdjson::SUCCESS && word != "body") {
          path.append(path.empty() ? "" : ".").append(word);
        } else if (step.is_int64()) {
          path += "[]";
        }
      }
      said.parameter = path;
    }
    for (const char* const name : {"error", "detail", "message", "msg"}) {
      dom::element below;
      if (value[name].get(below) == simdjson::SUCCESS) {
        read(below, said, depth + 1);
      }
    }
  }
}

/// "Use 'max_completion_tokens' instead."
std::string suggested(std::string_view message, std::string_view lowered) {
  const auto use = lowered.find("use '");
  const auto instead = lowered.find("' instead", use == std::string_view::npos ? 0 : use);
  if (use == std::string_view::npos || instead == std::string_view::npos || instead < use + 5) {
    return {};
  }
  return std::string(message.substr(use + 5, instead - use - 5));
}

std::optional<RefusedPart> by_wording(std::string_view message, std::string_view parameter) {
  const auto lowered = text::in_lower_case(message);
  for (const auto& wording : wordings) {
    const auto begin = wording.before.empty() ? 0 : lowered.find(wording.before);
    if (begin == std::string::npos) {
      continue;
    }
    const auto from = begin + wording.before.size();
    const auto end = wording.after.empty() ? from : lowered.find(wording.after, from);
    if (end == std::string::npos) {
      continue;
    }
    const auto name = wording.after.empty() ? first_name(message.substr(from))
                                            : last_name(message.substr(from, end - from));
    const auto path = normal_path(parameter.empty() ? name : parameter);
    if (path.empty() || path.size() > longest_path) {
      continue;
    }
    return RefusedPart(wording.kind, path, suggested(message, lowered));
  }
  return std::nullopt;
}

bool is_needed(std::string_view path) {
  constexpr std::array<std::string_view, 6> needed{"model",    "messages", "input",
                                                   "contents", "stream",   "tools"};
  return std::find(needed.begin(), needed.end(), path) != needed.end();
}

/// The places of the path in the body: of every element where it says `[]`. One list at most.
std::vector<text::JsonPath> places_of(std::string_view body, std::string_view path) {
  std::vector<text::JsonPath> places;
  const auto brackets = path.find("[].");
  if (brackets == std::string_view::npos) {
    auto place = text::json_path(path);
    if (path.find('[') == std::string_view::npos && !text::json_at(body, place).empty()) {
      places.push_back(std::move(place));
    }
    return places;
  }
  const auto list = text::json_path(path.substr(0, brackets));
  const auto rest = path.substr(brackets + 3);
  if (rest.find('[') != std::string_view::npos) {
    return places;
  }
  const auto below = text::json_path(rest);
  const auto elements = text::json_elements(text::json_at(body, list), most_elements);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (!text::json_at(elements[i], below).empty()) {
      auto place = list;
      place.emplace_back(i);
      place.insert(place.end(), below.begin(), below.end());
      places.push_back(std::move(place));
    }
  }
  return places;
}

/// The service is to ignore reasoning that is bound to another beginning. Models that bind it think adaptively by
/// default, so the mode may be named where the request has none.
std::optional<std::string> with_binding_ignored(std::string_view body, std::string_view setting) {
  const std::string member(setting.substr(setting.rfind('.') + 1));
  const auto thinking = text::json_at(body, {"thinking"});
  const auto binding = text::json_at(thinking, {"block_binding"});
  const bool chosen = std::any_of(
      std::begin(binding_settings), std::end(binding_settings),
      [&](std::string_view one) { return !text::json_at(body, text::json_path(one)).empty(); });
  if (chosen || text::json_at(thinking, {"type"}) == R"("disabled")") {
    return std::nullopt;
  }
  const auto behavior = "\"" + member + R"(":"drop_block")";
  text::JsonEdit edit =
      text::JsonEdit::set({"thinking", "block_binding", member}, R"("drop_block")");
  if (thinking.empty()) {
    edit = text::JsonEdit::set({"thinking"},
                               R"({"type":"adaptive","block_binding":{)" + behavior + "}}");
  } else if (binding.empty()) {
    edit = text::JsonEdit::set({"thinking", "block_binding"}, "{" + behavior + "}");
  }
  return text::edit_json(body, {edit});
}

std::optional<std::uint64_t> digits_of(std::string_view text) {
  return text::number_from<std::uint64_t>(text.substr(0, text.find_first_not_of("0123456789")));
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view words) {
  const auto at = text.find(words);
  return at == std::string_view::npos ? std::nullopt : digits_of(text.substr(at + words.size()));
}

/// The number before the words.
std::optional<std::uint64_t> number_before(std::string_view text, std::string_view words) {
  auto before = text.substr(0, std::min(text.find(words), text.size()));
  if (before.size() == text.size()) {
    return std::nullopt;
  }
  const auto begin = before.find_last_not_of("0123456789");
  return digits_of(before.substr(begin == std::string_view::npos ? 0 : begin + 1));
}

/// What the prompt leaves of the window, where a refusal adds prompt and limit up: vLLM, OpenAI and DeepSeek. Less than
/// an answer needs is nothing: then the prompt is what is too long.
std::optional<std::uint64_t> left_beside_prompt(std::string_view body) {
  constexpr std::uint64_t least = 1024;
  const auto said = text::in_lower_case(body);
  const auto window = number_after(said, "maximum context length is ");
  auto prompt = number_after(said, "your request has ");
  const auto answer = number_before(said, " in the completion");
  if (const auto all = number_after(said, "you requested "); !prompt && all && answer) {
    prompt = *all - std::min(*all, *answer);
  }
  return window && prompt && *prompt + least <= *window ? std::optional(*window - *prompt)
                                                        : std::nullopt;
}

/// No limit on the answer is higher than `most`.
std::optional<std::string> with_lower_limit(std::string_view body, std::string_view most) {
  const auto limit = digits_of(most);
  text::JsonEdits edits;
  for (const char* const name : {"max_tokens", "max_completion_tokens", "max_output_tokens"}) {
    const auto value = digits_of(text::json_at(body, {name}));
    if (limit && value && *value > *limit) {
      edits.push_back(text::JsonEdit::set({name}, std::to_string(*limit)));
    }
  }
  return edits.empty() ? std::nullopt : text::edit_json(body, edits);
}

/// Every system message but the first message becomes the user's.
std::optional<std::string> with_system_first(std::string_view body, std::string_view list) {
  const auto path = text::json_path(list);
  const auto messages = text::json_elements(text::json_at(body, path), most_elements);
  text::JsonEdits edits;
  for (std::size_t i = 1; i < messages.size(); ++i) {
    const auto role = text::json_at(messages[i], {"role"});
    if (role == R"("system")" || role == R"("developer")") {
      auto place = path;
      place.emplace_back(i);
      place.emplace_back("role");
      edits.push_back(text::JsonEdit::set(std::move(place), R"("user")"));
    }
  }
  return edits.empty() ? std::nullopt : text::edit_json(body, edits);
}

}  // namespace

std::string RefusedPart::mend() const {
  if (kind == Kind::order) {
    return "demote:messages";
  }
  if (kind == Kind::limit) {
    return "clamp:" + path + ">" + instead;
  }
  if (kind == Kind::binding) {
    return "unbind:" + path;
  }
  if (kind == Kind::value && instead.empty()) {
    return "drop_value:" + path;
  }
  return instead.empty() ? "drop:" + path : "rename:" + path + ">" + instead;
}

bool is_part_mend(std::string_view name) {
  constexpr std::array<std::string_view, 6> kinds{
      "drop:", "drop_value:", "rename:", "demote:", "clamp:", "unbind:"};
  return std::any_of(kinds.begin(), kinds.end(),
                     [&](std::string_view kind) { return name.starts_with(kind); });
}

std::optional<RefusedPart> refused_part(int status, std::string_view body) {
  body = body.substr(0, longest_body);
  const bool refuses = status == 400 || status == 422;
  if ((refuses || status == 500) &&
      text::in_lower_case(body).find(system_first) != std::string::npos) {
    return RefusedPart(Kind::order, "messages[].role");
  }
  if (!refuses) {
    return std::nullopt;
  }
  if (text::in_lower_case(body).find(bound_elsewhere) != std::string::npos) {
    const bool renamed = body.find(binding_settings[1]) != std::string_view::npos;
    return RefusedPart(Kind::binding, std::string(binding_settings[renamed ? 1 : 0]));
  }
  if (const auto left = left_beside_prompt(body)) {
    return RefusedPart(Kind::limit, "max_tokens", std::to_string(*left));
  }
  dom::parser parser;
  dom::element root;
  Said said;
  if (parser.parse(body.data(), body.size()).get(root) == simdjson::SUCCESS) {
    read(root, said);
  } else {
    said.message = body;
  }
  if (said.extra_forbidden && !said.parameter.empty()) {
    return RefusedPart(Kind::parameter, normal_path(said.parameter));
  }
  return by_wording(said.message, said.parameter);
}

bool is_capability_refusal(int status, std::string_view body) {
  // Refusals that name nothing which could be taken out. Sources: docs/backends.md 3, and the reports beside them.
  constexpr std::array<std::string_view, 16> wordings_of_lack{
      " is not supported",                // "`cache_control.ttl: 1h` is not supported"
      "for the `anthropic-beta` header",  // CLIProxyAPIPlus#533
      "invalid beta flag",                // Bedrock
      "tool_use_failed",                  // Groq
      "must be passed back to the api",   // DeepSeek
      "reasoning_content is missing",     // Kimi
      "expected `thinking` or `redacted_thinking`",
      "missing a thought_signature",             // Gemini
      "thought signature",                       //
      "strategy requires `thinking`",            // claude-code#11936
      "does not match the provided media type",  // image types
      "string too long",                         // names and ids
      "valid range of max_tokens",               // DeepSeek
      "which is the maximum allowed number of output tokens",
      "cannot both be specified",  // temperature and top_p
      "content[].thinking",        // DeepSeek's Anthropic form
  };
  if (status != 400 && status != 422) {
    return false;
  }
  if (refused_part(status, body)) {
    return true;
  }
  const auto lowered = text::in_lower_case(body.substr(0, longest_body));
  return std::any_of(wordings_of_lack.begin(), wordings_of_lack.end(), [&](std::string_view words) {
    return lowered.find(words) != std::string::npos;
  });
}

std::optional<std::string> without_part(std::string_view body, std::string_view mend) {
  const auto colon = mend.find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const auto what = mend.substr(0, colon);
  auto path = mend.substr(colon + 1);
  if (what == "demote") {
    return with_system_first(body, path);
  }
  if (what == "unbind") {
    return with_binding_ignored(body, path);
  }
  if (what == "clamp") {
    return with_lower_limit(body, path.substr(std::min(path.find('>') + 1, path.size())));
  }
  std::string_view other;
  if (what == "rename") {
    const auto to = std::min(path.find('>'), path.size());
    other = path.substr(std::min(to + 1, path.size()));
    path = path.substr(0, to);
  }
  if (path.empty() || is_needed(path)) {
    return std::nullopt;
  }
  text::JsonEdits edits;
  for (auto& place : places_of(body, path)) {
    edits.push_back(other.empty() ? text::JsonEdit::remove(std::move(place))
                                  : text::JsonEdit::rename(std::move(place), std::string(other)));
  }
  return edits.empty() ? std::nullopt : text::edit_json(body, edits);
}

bool has_part(std::string_view body, std::string_view path) {
  return !places_of(body, path).empty();
}

}  // namespace understudy::llm
