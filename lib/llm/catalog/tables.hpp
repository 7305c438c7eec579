/// The keys of a catalog file.
#pragma once

#include "text/keys.hpp"
#include "understudy/llm/catalog/catalog.hpp"

namespace understudy::llm::detail {

const text::KeyTable<BackEndRule>& rule_keys();
const text::KeyTable<ModelFacts>& family_keys();
const text::KeyTable<BackEnd>& back_end_keys();

const text::Schema& catalog_schema();

}  // namespace understudy::llm::detail
