/// Events of the Responses API, one payload at a time; see lib/llm/openai_responses/protocol.hpp.
#pragma once

#include <vector>

#include "llm/open_blocks.hpp"
#include "text/json.hpp"
#include "understudy/llm/detail/payload.hpp"

namespace understudy::llm::detail::openai_responses {

class Reader final : public PayloadReader {
 public:
  const char* read(std::string_view name, std::string_view data, EventSink& sink) override;
  const char* read_whole(std::string_view body, EventSink& sink) override;

 private:
  using Object = json::ondemand::object;
  using Value = json::ondemand::value;

  /// The members of an event that are no objects; texts as they are written.
  struct Fields {
    std::string_view type;
    std::size_t item = 0;
    std::size_t part = 0;
    std::optional<std::string_view> said;  // `delta`, or the whole in a `*.done`
    bool malformed = false;                // said, but not as text
  };

  struct Piece {
    bool refusal;
    std::string_view text;
  };
  struct Item {
    std::string_view type;
    std::string_view id;
    std::string_view call_id;
    std::string_view name;
    std::string_view arguments;
    std::string_view seal;
    std::string_view status;
    std::vector<Piece> pieces;
  };

  struct Response {
    std::string_view id;
    std::string_view model;  // as it is written
    std::string_view status;
    std::string_view reason;  // of an incomplete one
    Error error;
    bool counted = false;
  };

  const char* read_payload(std::string_view name, std::string_view data, EventSink& sink);
  bool read_said(std::string_view type, const Fields& fields, EventSink& sink);
  bool read_item_event(const Fields& fields, bool done, Object& object, EventSink& sink);
  bool read_item(Value& v, Item& item, text::Arena& arena);
  bool begin_item(std::size_t index, const Item& item, EventSink& sink);
  void name_item(std::size_t index, const Item& item);
  bool end_item(std::size_t index, const Item& item, EventSink& sink);
  void begin_part(const Fields& fields, bool summary, EventSink& sink);
  void read_marker(std::string_view type, const Response& response, EventSink& sink);
  bool read_response(Object& object, Response& response, bool output, EventSink& sink);
  bool read_usage(Value& usage);
  void finish(std::string_view status, const Response& response, std::string_view data,
              EventSink& sink);
  bool say(std::size_t wire, OpenBlock::Kind kind, std::string_view text, bool refusal,
           EventSink& sink);
  OpenBlock* opened(std::size_t wire, OpenBlock::Kind kind);
  void restart();

  OpenBlocks blocks_;
  std::size_t items_seen_ = 0;  // one more than the highest index
  Usage usage_;
  bool started_ = false;
  bool in_progress_ = false;  // was said, once
  bool said_ = false;         // any item
  bool called_ = false;
  bool refused_ = false;
  bool ended_ = false;
};

}  // namespace understudy::llm::detail::openai_responses
