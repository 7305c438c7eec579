/// Chunks folded into a chat.completion; see lib/llm/openai_chat/protocol.hpp and protocols.md 3.6.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "llm/open_blocks.hpp"
#include "llm/payload_fold.hpp"
#include "text/json_tree.hpp"

namespace understudy::llm::detail::openai_chat {

/// The message of one choice.
///
/// Which fragment continues which call is decided as the reader decides it (call_reader.cpp), and so both have the same
/// calls in the same order.
class FoldedMessage {
 public:
  const char* add_delta(std::string_view delta);
  void set(std::string_view message) { tree_.set(message); }

  /// A delta said something.
  bool said() const { return said_; }

  /// Adds what every message has, and corrects the calls.
  void complete(const Answer* typed);
  /// Corrects the calls by those of the reader, if it read this choice (`typed`).
  void correct(const Answer* typed);

  bool has_calls();
  bool has_function_call();

  json::Tree& tree() { return tree_; }
  std::size_t length() const { return tree_.length(); }

 private:
  using Tree = json::Tree;

  struct Call {
    std::size_t at;  // in `tool_calls`
    std::string id;
    JsonBalance arguments;
  };

  const char* add_member(std::string_view name, std::string_view value);
  const char* add_content(std::string_view parts);
  bool add_text(std::string_view name, std::string_view value);
  const char* add_call(std::string_view fragment);
  bool add_function(Tree& into, Call& call, std::string_view function);
  const char* add_details(std::string_view details);
  const char* add_object(Tree& object, std::string_view value);
  Call* call_of(std::string_view fragment, std::string_view function);

  Tree tree_;
  bool said_ = false;
  std::vector<Call> calls_;                      // as in `tool_calls`
  std::size_t latest_ = 0;                       // of calls_, the last one that began
  std::map<std::size_t, std::size_t> by_index_;  // the latest of each index, in calls_
  std::map<std::string, std::size_t, std::less<>> by_id_;
  std::map<std::string, std::size_t, std::less<>> details_;  // by index and type
};

class Fold final : public PayloadFold {
 public:
  const char* add(std::string_view name, std::string_view json) override;
  const char* add_whole(std::string_view json) override;
  std::size_t length() const override;
  bool finish(const Answer& typed, std::string& out) override;

 private:
  struct Choice {
    json::Tree tree;  // without the message
    FoldedMessage message;
  };

  const char* add_choice(std::string_view choice, bool whole);
  const char* add_to(Choice& choice, std::string_view name, std::string_view value);

  json::Tree top_;
  std::map<std::size_t, Choice> choices_;
  bool any_ = false;
  bool whole_ = false;
};

}  // namespace understudy::llm::detail::openai_chat
