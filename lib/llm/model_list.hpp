/// Lists of models, as far as protocols have them in common.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "understudy/llm/codec.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {

/// The entries of all models, in an array.
void write_model_array(const Codec& codec, std::span<const std::string> names, JsonWriter& json);

/// OpenAI's form, which its two protocols share.
void write_openai_model(std::string_view name, std::string& out);
void write_openai_models(const Codec& codec, std::span<const std::string> names, std::string& out);

}  // namespace understudy::llm::detail
