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

void write_openai_model(std::string_view name, std::string& out) {
  JsonWriter(out)
      .begin_object()
      .member("id", name)
      .member("object", "model")
      .member("created", 0)
      .member("owned_by", "understudy")
      .end_object();
}

void write_openai_models(const Codec& codec, std::span<const std::string> names, std::string& out) {
  JsonWriter json(out);
  json.begin_object().member("object", "list").key("data");
  write_model_array(codec, names, json);
  json.end_object();
}

}  // namespace understudy::llm::detail
