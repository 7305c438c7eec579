/// The part of a list of models that all protocols have in common.
#pragma once

#include <span>
#include <string>

#include "understudy/llm/codec.hpp"
#include "understudy/text/json_writer.hpp"

namespace understudy::llm::detail {

/// The entries of all models, in an array.
void write_model_array(const Codec& codec, std::span<const std::string> names, JsonWriter& json);

}  // namespace understudy::llm::detail
