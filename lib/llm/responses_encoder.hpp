/// Events as the Responses API streams them; see openai_responses.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "responses_objects.hpp"
#include "understudy/llm/event_encoder.hpp"

namespace understudy::detail {

class ResponsesEncoder final : public EventEncoder {
 public:
  void write(const Event& event, std::string& out) override;
  void follow(const Event& event) override;

 private:
  enum class Kind : unsigned char { message, reasoning, call };
  struct Item {
    Kind kind;
    std::size_t block;  // of a message: of its last part
    std::size_t index;
    std::string id;
    std::vector<ResponsesPart> parts;  // of a message; the last one is open
    std::string text;                  // of reasoning; a call's arguments
    std::string seal;                  // of reasoning; a call's id
    std::string name;                  // of a call
    bool begun = false;                // reasoning: its summary part
  };

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
  void put(const Other&, std::string&) {}
  void put(const Undecodable&, std::string&) {}
  void put(const Retract&, std::string&) {}

  template <class Write>
  void event(std::string& out, std::string_view type, Write write);
  template <class Write>
  void part_event(std::string& out, std::string_view type, const Item& item, Write write);
  void response_event(std::string& out, std::string_view type, ResponsesObject object);
  Item& open(Kind kind, std::size_t block, std::string_view prefix, std::string& out);
  Item& reasoning_item(std::size_t block, std::string& out);
  Item* find(Kind kind, std::size_t block);
  void begin_part(Item& message, bool refusal, std::string& out);
  void end_part(const Item& message, std::string& out);
  void close(const Item& item, std::string_view status, std::string& out);
  void close_written(std::string& out);
  void adopt(const Event& event);
  static std::string rendered(const Item& item, std::string_view status);

  std::string id_;
  std::string model_;
  std::uint64_t sequence_ = 0;
  std::vector<Item> open_;
  std::vector<std::string> output_;  // the finished items, by index
  Usage usage_;
  bool counted_ = false;
  bool ended_ = false;
  std::optional<FinishReason> finish_;
  std::string native_;
};

}  // namespace understudy::detail
