/// Events as the Responses API streams them; see openai_responses.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "understudy/json_writer.hpp"
#include "understudy/llm/event_encoder.hpp"
#include "understudy/llm/request.hpp"

namespace understudy::detail {

/// A text or refusal part of a message.
struct ResponsesPart {
  bool refusal;
  std::string text;
};

/// A `response` object.
struct ResponsesObject {
  std::string_view id;
  std::string_view model;
  std::string_view status;
  std::string_view reason = {};  // of an incomplete one
  const Error* error = nullptr;  // of a failed one
  const Usage* usage = nullptr;
  const std::vector<std::string>* output = nullptr;  // items as JSON text
};

/// An item's name: these are only compared with each other.
std::string responses_item_id(std::string_view prefix, std::string_view answer, std::size_t index);

/// Members of the object that is open.
void write_responses_object(JsonWriter& json, const ResponsesObject& object);
void write_responses_part(JsonWriter& json, const ResponsesPart& part);
void write_responses_message(JsonWriter& json, std::string_view id, std::string_view status,
                             const std::vector<ResponsesPart>& parts);
void write_responses_reasoning(JsonWriter& json, std::string_view id, std::string_view text,
                               std::string_view seal);
void write_responses_call(JsonWriter& json, std::string_view id, std::string_view status,
                          std::string_view call_id, std::string_view name,
                          std::string_view arguments);

class ResponsesEncoder final : public EventEncoder {
 public:
  void write(const Event& event, std::string& out) override;

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
