#include "model_list.hpp"

namespace understudy::llm::detail {

void write_model_array(const Codec& codec, std::span<const std::string> names, JsonWriter& json) {
  json.begin_array();
  for (const auto& name : names) {
    std::string entry;
    codec.write_model(name, entry);
    json.raw(entry);
  }
  json.end_array();
}

}  // namespace understudy::llm::detail
