/// A body on its way to a target: what stands in it, and the edits that fit it.
///
/// Invariants
/// 1. The body is parsed once; rules read what the client wrote and add edits. `edit_json` applies all of them in one
///    pass. A body that is not well-formed is not edited.
/// 2. A rule whose effect is not to change requests (`BackEndRule::acts`) is not seen here.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/translate_parameters.hpp"
#include "text/json_edit.hpp"
#include "text/json_tree.hpp"
#include "understudy/llm/fit.hpp"

namespace understudy::llm::detail {

namespace dom = simdjson::dom;

/// The name of a member that is missing gives nothing; so does null.
std::optional<dom::element> member_of(const dom::element& object, std::string_view name);
std::string_view text_of(const std::optional<dom::element>& value);
std::optional<double> number_of(const std::optional<dom::element>& value);
bool is_object(const std::optional<dom::element>& value);
bool is_array(const std::optional<dom::element>& value);

/// Calls `each(index, element)` for the elements of an array; for anything else, not at all.
template <class Each>
void each_element(const std::optional<dom::element>& list, Each each) {
  dom::array array;
  if (!list || list->get(array) != simdjson::SUCCESS) {
    return;
  }
  std::size_t index = 0;
  for (const dom::element element : array) {
    each(index++, element);
  }
}

bool contains(const std::vector<std::string>& names, std::string_view name);

/// The member of a body that holds the conversation.
constexpr std::string_view conversation_of(Protocol protocol) {
  return protocol == Protocol::openai_responses ? "input" : "messages";
}

class Fitting {
 public:
  Fitting(const FitTarget& to, const BackEnd& at, const ModelFacts& known, dom::element body,
          std::vector<Loss>& lost, std::string& words)
      : target(to), back_end(at), facts(known), root(body), losses(lost), betas(words) {}

  const FitTarget& target;
  const BackEnd& back_end;
  const ModelFacts& facts;
  dom::element root;
  text::JsonEdits edits;
  Losses losses;
  std::string& betas;

  std::optional<dom::element> member(std::string_view name) const { return member_of(root, name); }
  /// The member at a path with dots: "reasoning.effort".
  std::optional<dom::element> at(std::string_view path) const;

  const BackEndRule* rule(Check check) const { return back_end.rule(check); }
  /// Calls `each` for every rule with that check that changes requests.
  template <class Each>
  void each_rule(Check check, Each each) const {
    for (const auto* const one : back_end.rules) {
      if (one->check == check && one->acts()) {
        each(*one);
      }
    }
  }

  void set(std::string_view path, std::string json) {
    edits.push_back(text::JsonEdit::set(text::json_path(path), std::move(json)));
  }
  void remove(std::string_view path) {
    edits.push_back(text::JsonEdit::remove(text::json_path(path)));
  }
  void drop(std::string_view path, std::string_view loss = {}) {
    remove(path);
    losses.add(Loss::Kind::dropped, std::string(loss.empty() ? path : loss));
  }

  /// Whether the model is asked to think, or does so unless it is told not to.
  bool thinks() const;
  /// Whether a tool must be called.
  bool forces_tool() const;
  /// Tells the model something at the end of the last user message, where it changes no prefix.
  void instruct(std::string_view text);

  bool anthropic() const { return target.protocol == Protocol::anthropic_messages; }
  bool responses() const { return target.protocol == Protocol::openai_responses; }
  bool chat() const { return target.protocol == Protocol::openai_chat; }
  /// The member that holds the conversation.
  std::string_view conversation() const { return conversation_of(target.protocol); }
};

/// Rules about members at the top of the body and their values.
void fit_members(Fitting& fitting);
/// Rules about what the model accepts.
void fit_model(Fitting& fitting);
/// Rules about messages and what is in them.
void fit_messages(Fitting& fitting);
/// Rules about tools and their schemas.
void fit_tools(Fitting& fitting);
/// Features that must be enabled by a header.
void fit_betas(Fitting& fitting);

}  // namespace understudy::llm::detail
