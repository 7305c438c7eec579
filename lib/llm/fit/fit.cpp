#include "understudy/llm/fit.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "llm/carrier_edits.hpp"
#include "llm/fit/fitting.hpp"
#include "llm/fit/short_ids.hpp"
#include "llm/fit/tool_images.hpp"
#include "llm/fit/tool_loop.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/protocol_traits.hpp"
#include "understudy/llm/refused_part.hpp"
#include "understudy/llm/translate.hpp"

namespace understudy::llm {
namespace {

using namespace detail;

/// The messages that were added to the client's, at the end of the conversation in its body. False: it has no list.
bool add_messages(text::JsonEdits& edits, const Request& request, const FitTarget& target) {
  const auto count = std::min(request.added_messages, request.messages.size());
  const text::JsonPath path{std::string(conversation_of(target.protocol))};
  if (count == 0) {
    return true;
  }
  if (!text::json_at(request.body, path).starts_with('[')) {
    return false;
  }
  Request added(target.model);
  added.messages.assign(request.messages.end() - static_cast<std::ptrdiff_t>(count),
                        request.messages.end());
  std::string written;
  traits_of(target.protocol).codec.write_request(added, written);
  for (const auto message : text::json_elements(text::json_at(written, path), SIZE_MAX)) {
    edits.push_back(text::JsonEdit::append(path, std::string(message)));
  }
  return true;
}

/// Two messages of the user in a row are refused by some back ends.
void join_added_messages(Request& request) {
  auto& messages = request.messages;
  const auto count = messages.size();
  if (request.added_messages == 0 || count < 2 || messages[count - 1].role != Role::user ||
      messages[count - 2].role != Role::user) {
    return;
  }
  auto& parts = messages[count - 1].parts;
  std::move(parts.begin(), parts.end(), std::back_inserter(messages[count - 2].parts));
  messages.pop_back();
}

ReasoningOrigin reader_of(const Request& request, const FitTarget& target) {
  ReasoningOrigin reader(target.provider, target.model);
  reader.maker = target.maker;
  reader.account = target.account;
  reader.home = !request.home || reads(reader, *request.home);
  return reader;
}

/// The client's own bytes, for another model and with the wishes of the gateway.
std::optional<std::string> own_body(const Request& request, const FitTarget& target, Fitted& out) {
  const auto& traits = traits_of(target.protocol);
  text::JsonEdits edits{text::JsonEdit::set({"model"}, json::quoted(target.model)),
                        text::JsonEdit::set({"stream"}, target.stream ? "true" : "false")};
  // A client that did not ask for a stream could not ask for its usage.
  if (const auto& usage = traits.stream_usage;
      !usage.name.empty() && target.stream && !request.stream) {
    edits.push_back(text::JsonEdit::set({std::string(usage.name)}, std::string(usage.value)));
  }
  if (!add_messages(edits, request, target)) {
    return std::nullopt;
  }
  const auto opened =
      with_carriers_opened(request.body, target.protocol, reader_of(request, target));
  if (opened) {
    out.restored = opened->restored;
    if (opened->removed > 0) {
      Losses(out.losses).add(Loss::Kind::dropped, "reasoning");
    }
  }
  return text::edit_json(opened ? opened->body : request.body, edits);
}

/// The limit on the answer, where the protocol demands one and the caller set none: all that the model can answer and
/// that fits beside the prompt.
std::optional<std::uint64_t> default_limit(const Request& request, const ModelFacts& facts) {
  if (!facts.max_output) {
    return std::nullopt;
  }
  const auto prompt = estimated_tokens(request);
  const auto window = facts.context_window.value_or(UINT64_MAX);
  return prompt < window ? std::min(*facts.max_output, window - prompt) : facts.max_output;
}

/// The names of tools that the back end takes, where that is less than what its protocol allows.
void limit_tool_names(TranslationTarget& to, const BackEnd& at) {
  for (const auto* const rule : at.rules) {
    const bool names = rule->path == "tools[].name" || rule->path == "tools[].function.name";
    if (!names || !rule->acts()) {
      continue;
    }
    if (rule->max) {
      to.longest_tool_name = std::min(to.longest_tool_name, static_cast<std::size_t>(*rule->max));
    }
    if (rule->min) {
      to.shortest_tool_name = std::max(to.shortest_tool_name, static_cast<std::size_t>(*rule->min));
    }
    to.letter_first = to.letter_first || !rule->first.empty();
  }
}

void write_translated(Fitted& out, const Request& request, const FitTarget& target,
                      const BackEnd& at, const ModelFacts& facts) {
  Request sent = request;
  join_added_messages(sent);
  sent.body = std::string();  // it may be large, and is written anew
  sent.model = target.model;
  sent.stream = target.stream;
  if (request.origin) {  // else the user is one that the caller wrote for this target
    sent.user = anonymous_user(sent.user, target.user_salt).value_or(sent.user);
  }
  sent.stream_usage = sent.stream_usage || !request.stream;
  sent.sealed_reasoning = !facts.refuses_encrypted;
  if (traits_of(target.protocol).rules.max_tokens_required && !sent.max_tokens) {
    sent.max_tokens = default_limit(request, facts);
  }
  TranslationTarget to(target.protocol, target.provider, target.model);
  to.output_limit =
      facts.refuses_max_tokens ? OutputLimit::max_completion_tokens : OutputLimit::max_tokens;
  to.accepts_prefill = facts.prefill.value_or(target.accepts_prefill);
  const auto reader = reader_of(request, target);
  to.maker = reader.maker;
  to.account = reader.account;
  to.home = reader.home;
  to.wants_reasoning = facts.wants_reasoning || at.rule(Check::needs_reasoning_content) != nullptr;
  limit_tool_names(to, at);
  if (const auto* const rule = at.rule(Check::schema_keys)) {
    to.longest_property = static_cast<std::size_t>(rule->max.value_or(0));
    to.property_characters = rule->characters;
  }
  auto translated = translate(std::move(sent), to);
  out.losses = std::move(translated.losses);
  out.tools = std::move(translated.tools);
  out.unsupported = std::move(translated.unsupported);
  out.restored = translated.restored;
  traits_of(target.protocol).codec.write_request(translated.request, out.body);
}

/// The body with the edits that the rules of the back end and the model's facts demand.
void apply_rules(Fitted& out, const FitTarget& target, const BackEnd& at, const ModelFacts& facts,
                 bool foreign) {
  if (target.protocol == Protocol::openai_chat &&
      at.rule(Check::no_image_in_tool_result) != nullptr) {
    if (auto moved = with_images_after_results(out.body)) {
      out.body = std::move(*moved);
    }
  }
  dom::parser parser;
  dom::element root;
  // Padded in place: otherwise the parser copies the body.
  const auto size = out.body.size();
  out.body.resize(size + simdjson::SIMDJSON_PADDING, ' ');
  const auto parsed = parser.parse(out.body.data(), size, false).get(root);
  out.body.resize(size);
  if (parsed != simdjson::SUCCESS || !root.is_object()) {
    return;
  }
  Fitting fitting(target, at, facts, root, out.losses, out.betas);
  // The client's protocol caches by itself; here the prompt is only cached if that is asked for.
  if (foreign && at.owner && traits_of(target.protocol).rules.cache_marks &&
      out.body.find("\"cache_control\"") == std::string::npos) {
    fitting.set("cache_control", R"({"type":"ephemeral"})");
  }
  fit_members(fitting);
  fit_model(fitting);
  fit_messages(fitting);
  fit_tools(fitting);
  fit_betas(fitting);
  if (auto edited = text::edit_json(out.body, fitting.edits)) {
    out.body = std::move(*edited);
  }
}

/// Whether a turn with calls must begin with thinking while that is enabled (Claude docs: Extended thinking with tools).
bool thinks_first(const FitTarget& target, const ModelFacts& facts) {
  const auto has = [&](const char* mode) {
    return facts.thinking && contains(*facts.thinking, mode);
  };
  return target.protocol == Protocol::anthropic_messages && has("enabled") && !has("adaptive") &&
         (target.maker.empty() ? facts.maker : target.maker) == "anthropic";
}

/// Without it the setting is refused (docs/backends.md, a.block_binding).
constexpr std::string_view binding_beta = "thinking-binding-controls-2026-08-01";

void apply_mends(Fitted& out, const FitTarget& target) {
  Losses losses(out.losses);
  for (const auto& mend : target.mends) {
    if (auto mended = without_part(out.body, mend)) {
      out.body = std::move(*mended);
      if (mend.starts_with("drop")) {
        losses.add(Loss::Kind::dropped, mend.substr(mend.find(':') + 1));
      } else if (mend.starts_with("demote:")) {
        losses.add(Loss::Kind::changed, "system message after the start of the conversation");
      } else if (mend.starts_with("unbind:")) {
        losses.add(Loss::Kind::added, "thinking.block_binding");
        if (out.betas.find(binding_beta) == std::string::npos) {
          out.betas.append(out.betas.empty() ? "" : ",").append(binding_beta);
        }
      }
    }
  }
}

}  // namespace

Fitted fit(const Request& request, const FitTarget& target) {
  const auto& catalog = *target.catalog;
  const auto& known = catalog.model(target.family.empty() ? target.model : target.family);
  std::optional<ModelFacts> corrected;
  if (target.prefill || (target.context_window && target.context_window != known.context_window)) {
    corrected = known;
    corrected->prefill = target.prefill ? target.prefill : known.prefill;
    corrected->context_window =
        target.context_window ? target.context_window : known.context_window;
  }
  const auto& facts = corrected ? *corrected : known;
  const bool same = request.origin == target.protocol;
  static const BackEnd no_rules;
  const auto& standard = same ? no_rules : catalog.unknown(target.protocol);
  const auto& at = target.back_end == nullptr ? standard : *target.back_end;
  Fitted out;
  out.betas = target.betas;
  auto own = same && !request.body.empty() ? own_body(request, target, out) : std::nullopt;
  const bool exact = own.has_value() && at.owner && request.model == target.model;
  if (own) {
    out.body = std::move(*own);
  } else {
    write_translated(out, request, target, at, facts);
  }
  if (!exact && !at.rules.empty()) {
    apply_rules(out, target, at, facts, !same);
  }
  if (thinks_first(target, facts)) {
    if (auto mended = without_thinking_in_foreign_loop(out.body)) {
      out.body = std::move(*mended);
      Losses(out.losses).add(Loss::Kind::changed, "thinking");
    }
  }
  apply_mends(out, target);
  return out;
}

}  // namespace understudy::llm
