#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

using CatalogKey = Key<CatalogConfig>;

}  // namespace

const KeyTable<CatalogConfig>& catalog_keys() {
  static const KeyTable<CatalogConfig> keys(
      SectionRow("catalog", "What is known about back ends and models (backends.md 1.1).")
          .with_header("[catalog]"),
      {
          CatalogKey("files", Strings(), &CatalogConfig::files,
                     "Files with facts and rules of your own, relative to the folder of this file. "
                     "They add to what is built in, and override it; a later file overrides an "
                     "earlier one. `understudy catalog check FILE` checks one.")
              .default_note("none")
              .example(R"(["/etc/understudy/models.toml"])"),
      });
  return keys;
}

}  // namespace understudy::config
