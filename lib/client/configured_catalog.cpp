#include "understudy/client/configured_catalog.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "text/suggestions.hpp"

namespace understudy {
namespace {

constexpr std::size_t longest_catalog = std::size_t{1024} * 1024;

/// Nothing if it cannot be read. A longer text than is allowed is cut off after one character more.
std::optional<std::string> contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(longest_catalog + 1, '\0');
  if (!in || (!in.read(text.data(), static_cast<std::streamsize>(text.size())) && !in.eof())) {
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

void add_file(llm::Catalog& catalog, const Config& config, const std::string& name,
              ConfigErrors& errors) {
  const auto path = (std::filesystem::path(config.file).parent_path() / name).string();
  const auto text = contents(path);
  if (!text) {
    errors.errors.emplace_back(config.catalog.place, "the catalog " + path + " cannot be read",
                               "name a file that you may read");
  } else if (text->size() > longest_catalog) {
    errors.errors.emplace_back(config.catalog.place,
                               "the catalog " + path + " is larger than 1 MiB",
                               "name a catalog file");
  } else {
    for (auto& error : catalog.add(*text, path)) {
      errors.errors.push_back(std::move(error.in_file(path)));
    }
  }
}

void check_back_ends(const llm::Catalog& catalog, const Config& config, ConfigErrors& errors) {
  for (const auto& [name, provider] : config.providers) {
    if (provider.back_end.empty() ||
        catalog.back_end(provider.back_end, provider.protocol) != nullptr) {
      continue;
    }
    std::vector<std::string_view> ids;
    for (const auto& one : catalog.back_ends()) {
      if (one.protocol == provider.protocol) {
        ids.push_back(one.id);
      }
    }
    const auto meant = text::nearest(provider.back_end, ids);
    errors.errors.emplace_back(
        provider.back_end_place,
        "no back end " + text::ticked(provider.back_end) + " speaks " +
            std::string(to_string(provider.protocol)),
        meant.empty() ? "`understudy catalog` lists them; a file of `[catalog]` can add one"
                      : "did you mean \"" + std::string(meant) + "\"?");
  }
}

}  // namespace

boost::system::result<std::shared_ptr<const llm::Catalog>, ConfigErrors> configured_catalog(
    const Config& config) {
  ConfigErrors errors;
  errors.file = config.file;
  auto catalog = std::make_shared<llm::Catalog>(llm::Catalog::built_in());
  for (const auto& name : config.catalog.files) {
    add_file(*catalog, config, name, errors);
  }
  if (errors.errors.empty()) {
    check_back_ends(*catalog, config, errors);
  }
  if (!errors.errors.empty()) {
    return errors;
  }
  return std::shared_ptr<const llm::Catalog>(std::move(catalog));
}

}  // namespace understudy
