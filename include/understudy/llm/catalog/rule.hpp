/// A rule that a request must follow at a back end, and what is known about the rule.
///
/// Invariants
/// 1. Only rules with the effect `lossless` or `lossy` change a request (`acts`). A lossy one needs a source that the
///    maker or several users confirm; without one, a rule may only do what loses nothing.
/// 2. The check determines which of the parameters a rule has; each is listed beside its check.
///
///     for (const BackEndRule* rule : back_end.rules) {
///       if (rule->check == Check::top_allow && rule->acts()) { keep_only(rule->names); }
///     }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "understudy/export.hpp"

namespace understudy::llm {

/// What a rule does to a request before it is sent.
enum class Effect : unsigned char {
  lossless,  ///< the request is adjusted, and nothing is lost
  lossy,     ///< something is dropped or converted, and named
  refuse,    ///< the request is not sent to the back end
  advisory,  ///< nothing by this rule: it is done in any case, or the refusal is understood when it comes
  none,  ///< nothing: the back end is known to accept more than the rule says
};

/// How well a fact is known.
enum class Confidence : unsigned char {
  doc,        ///< the maker's documentation
  live,       ///< reports from two or more places
  single,     ///< one report
  unchecked,  ///< general knowledge
};

/// What a rule demands. In brackets: its parameters.
enum class Check : unsigned char {
  top_allow,       ///< only these members at the top of the body [names]
  top_refuse,      ///< none of these members [names, word, when_model]
  not_both,        ///< only the first of these members [names]
  require,         ///< these members are present [names, unless_developer_first]
  equals,          ///< the member has this value [path, word: the value as JSON, always]
  header_require,  ///< the request has this header [word]
  header_beta,     ///< `anthropic-beta` has only these words [names]
  gated,           ///< the member needs one of these words in `anthropic-beta` [path, names]
  max_len,         ///< a string has at most `max` characters, and at least `min` [path, min, max]
  pattern,     ///< a string has only these characters [path, prefix, first, characters, min, max]
  max_items,   ///< a list has at most `max` elements [path, max]
  stop_count,  ///< at most `max` stop sequences [path, max]
  number,      ///< a number is within bounds [path, also, min, max]
  one_of,      ///< a value is one of these [path, names]
  choice_string,         ///< the value is one of these words, not an object [path, names]
  choice_with_thinking,  ///< while the model thinks, the tool choice is one of these [path, names]
  temperature_by_thinking,  ///< the value depends on whether the model thinks, so it is not sent [path]
  role,                     ///< messages have these roles [names]
  role_order,    ///< the order of roles [names: of the last one, system_first_only, one_system,
                 ///< no_user_after_tool]
  msg_refuse,    ///< messages of this role do not have these members [word, names]
  content_null,  ///< the content of a message is not null
  input_list,    ///< `input` is a list
  empty_text,    ///< a block of text is not empty
  block_types,   ///< content consists of blocks of these types [names]
  cache_breakpoints,        ///< at most `max` blocks have `cache_control` [max]
  reserved_text,            ///< the system text does not contain this [word]
  no_image_in_tool_result,  ///< tool results have no images
  pairing,                  ///< every call has a result, and every result a call
  item_ids,                 ///< the id of an item begins with the prefix of its type
  tool_shape,               ///< tools are of these types [names, need]
  tool_unique,              ///< the names of tools differ
  schema_root,              ///< the root of a schema is an object without alternatives
  schema_keys,              ///< the names of properties have these characters [characters, max]
  schema_keywords,          ///< a schema does not use these keywords [names]
  schema_properties,        ///< the root of a schema has properties
  signature,                ///< thinking is signed by this maker
  binding,                  ///< signed thinking follows the prefix that it was written for [word]
  encrypted,                ///< encrypted reasoning is this maker's
  reasoning_followed,       ///< reasoning has its encrypted content, and what it led to
  needs_reasoning_content,  ///< assistant messages with calls have this member [word]
  needs_signature,          ///< the first call of a message has Google's signature
  context_window,           ///< the prompt fits the window
  model_max_output,         ///< the limit is at most the model's [path, also]
  model_sampling,           ///< sampling parameters as the model has them [also]
  model_effort,             ///< the effort is one of the model's [path, word]
  model_thinking,           ///< the style of thinking is one of the model's
  model_forced_tool,        ///< a tool can be forced as the model allows [while_thinking]
  model_prefill,        ///< the last message is the user's, unless the model continues an answer
  model_tools_on_chat,  ///< tools and effort on the Chat endpoint, as the model allows
  model_mid_system,     ///< system messages after the beginning, if the model takes them
};

/// See the top of the file.
class BackEndRule {
 public:
  BackEndRule() {}

  /// Whether requests are changed for it.
  bool acts() const noexcept {
    const bool confirmed = confidence == Confidence::doc || confidence == Confidence::live;
    return effect == Effect::lossless || (effect == Effect::lossy && confirmed);
  }

  std::string id;
  Check check = Check::top_allow;
  Effect effect = Effect::none;
  Confidence confidence = Confidence::unchecked;
  std::vector<std::string> source;
  std::string origin;  ///< the file that has the rule; empty: it is built in
  std::string remedy;  ///< what is done about it, in words

  std::string path;               ///< "input[].call_id"; [] stands for every element
  std::vector<std::string> also;  ///< other members for which the rule holds
  std::vector<std::string> names;
  std::vector<std::string> need;  ///< members that a function must have
  std::string word;
  std::string when_model;  ///< the rule holds for models of which this trait is "refused"
  std::optional<double> min;
  std::optional<double> max;
  std::string prefix;
  std::string first;       ///< characters that may come first, beside letters
  std::string characters;  ///< characters that may occur, beside letters and digits
  bool always = false;     ///< also if the member is absent
  bool camel = false;      ///< the member is refused in camel case too
  bool while_thinking = false;
  bool unless_developer_first = false;
  bool system_first_only = false;
  bool one_system = false;
  bool no_user_after_tool = false;
  bool deployment = false;  ///< depends on how the server was set up
};

/// The names are those of the enumerators. They live as long as the program.
UNDERSTUDY_API std::string_view to_string(Effect effect) noexcept;
/// The name, as in catalog files.
UNDERSTUDY_API std::string_view to_string(Confidence confidence) noexcept;
/// The name, as in catalog files.
UNDERSTUDY_API std::string_view to_string(Check check) noexcept;

}  // namespace understudy::llm
