/// What OpenAI's two protocols have in common: errors and lists of models.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "understudy/llm/codec.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {

/// The member `error` of an error body, or of an error event in a stream of Chat.
void write_openai_error(JsonWriter& json, const Error& error);

class OpenaiCodec : public Codec {
 public:
  Error read_error(std::string_view body, std::string& scratch) const final;
  void write_error(const Error& error, unsigned status, std::string& out) const final;
  std::string_view stream_error_type(unsigned status) const noexcept final;
  void write_model(std::string_view name, std::string& out) const final;
  void write_models(std::span<const std::string> names, std::string& out) const final;
};

}  // namespace understudy::llm::detail
