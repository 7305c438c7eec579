/// Events as the Responses API streams them; see lib/llm/openai_responses/protocol.hpp.
///
/// Invariants
/// 1. Items are numbered 0, 1, 2... as they begin, after those that the provider's own bytes began. An item has one
///    id from its beginning to its end: the provider's if it is known when the item begins, else one that is made up
///    (lib/llm/made_up_id.hpp).
/// 2. What was begun is ended before the answer completes, and `output` is what was ended. Of an answer that fails,
///    what was open stays open: some clients run a call once it is ended.
/// 3. `response.created` is the first event, also of an answer that fails before it begins, and occurs once: where a
///    second answer is spliced in, its items follow those of the first one. Nothing follows the terminal.
/// 4. Sequence numbers are contiguous. So a Heartbeat is a comment while the provider's own events are forwarded,
///    whose numbers are the provider's.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "llm/custom_input.hpp"
#include "objects.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace understudy::llm::detail::openai_responses {

class Encoder final : public EventEncoder {
 public:
  Encoder(const Request& asked, std::chrono::sys_seconds created);

  void write(const Event& event, std::string& out) override;
  /// Clients take a call's arguments from its end, which restates them.
  void write_changed(const Event& event, std::string& out) override {
    out += event.raw;
    follow(event);
  }
  void follow(const Event& event) override;

 private:
  enum class Kind : unsigned char { message, reasoning, call, other };
  struct Item {
    explicit Item(Kind k) : kind(k) {}

    Kind kind;
    std::size_t index = 0;
    std::string id;
    std::optional<std::size_t>
        block;  // of the last part; nothing: the provider has said nothing in it yet
    std::vector<OutputPart> parts;  // of a message, or of reasoning's summary
    bool part_open = false;         // the last one
    bool text_open = false;         // its text, or a call's arguments
    std::string arguments;          // of a call; of a custom one: its input
    std::string call_id;
    std::string name;
    std::string name_space;
    ToolForm form = ToolForm::function;
    CustomInput input;
    std::string seal;  // of reasoning
    std::string json;  // of an item that the events have no form for: as the provider began it
  };

  const ExtraFields& echo();
  void begin(const Start& start);
  void put(const Start& start, std::string& out);
  void put(const Text& text, std::string& out);
  void put(const Reasoning& reasoning, std::string& out);
  void put(const ReasoningSeal& seal, std::string& out);
  void put(const ToolStart& call, std::string& out);
  void put(const ToolArguments& arguments, std::string& out);
  void put(const ToolEnd& end, std::string& out);
  void put(const Usage& usage, std::string& out);
  void put(const Finish& finish, std::string& out);
  void put(const End& end, std::string& out);
  void put(const Heartbeat& heartbeat, std::string& out);
  void put(const Error& error, std::string& out);
  bool completes() const;
  void put(const Other&, std::string&) {}
  void put(const Undecodable&, std::string&) {}
  void put(const Retract&, std::string&) {}

  template <class Write>
  void event(std::string& out, std::string_view type, Write write);
  template <class Write>
  void part_event(std::string& out, std::string_view type, const Item& item, Write write);
  void response_event(std::string& out, std::string_view type, std::string_view status,
                      const Error* error = nullptr);
  void end_items(std::string_view status, std::string& out);
  Item& open(Item item, std::string& out);
  Item* writing(Kind kind);
  Item& reasoning_item(std::size_t block, std::string_view id, std::string& out);
  Item* call(std::size_t block);
  void begin_part(Item& item, bool refusal, std::string& out);
  void end_part(Item& item, std::string& out);
  void close(Item& item, std::string_view status, std::string& out);
  void close_written(std::string& out, std::string_view status = "completed");
  void close_call(std::size_t block, bool complete, std::string& out);
  void say_arguments(Item& item, std::string_view piece, std::string& out);
  void end_arguments(Item& item, std::string& out);
  void adopt(const Event& event);
  void adopt_item(std::size_t index, std::string_view json, const Event& event);
  void adopt_piece(Item& item, std::string_view type, const Event& event);
  void keep_output(std::size_t index, std::string item);
  static std::string rendered(const Item& item, std::string_view status);

  std::string asked_model_;
  std::string asked_body_;           // until `echo_` is there
  std::optional<ExtraFields> echo_;  // most answers are forwarded, and need none
  std::chrono::sys_seconds created_;
  bool codex_;         // Request::from_codex
  bool said_ = false;  // text
  bool started_ = false;
  bool forwarding_ = false;  // the last event was the provider's own
  std::string id_;
  std::string model_;
  std::uint64_t sequence_ = 0;
  std::size_t next_ = 0;                      // item
  std::map<std::size_t, Item> open_;          // by index
  std::set<std::size_t> written_;             // of these, all but calls
  std::set<std::string> ids_;                 // of all items
  std::map<std::size_t, std::size_t> calls_;  // of these, by block
  std::vector<std::string> output_;           // the finished items, by index
  Usage usage_;
  bool counted_ = false;
  bool ended_ = false;
  std::optional<FinishReason> finish_;
  std::string native_;
};

}  // namespace understudy::llm::detail::openai_responses
