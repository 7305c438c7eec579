/// Reads the catalog of a configuration: what is built in, and the files of `[catalog]`.
///
/// Invariants
/// 1. Later files come before earlier ones, and all of them before what is built in (llm/catalog/catalog.hpp).
/// 2. Errors name the file, the place, and what to write instead; all errors of all files are reported at once.
///
///     auto catalog = configured_catalog(load_config("understudy.toml").value());
///     if (catalog.has_error()) { std::cerr << to_string(catalog.error()); }
#pragma once

#include <boost/system/result.hpp>
#include <memory>

#include "understudy/client/config.hpp"
#include "understudy/export.hpp"
#include "understudy/llm/catalog/catalog.hpp"

namespace understudy {

/// Blocks while it reads the files, each of at most 1 MiB. Errors: a file that cannot be read, everything that is wrong in
/// one, and a provider's `back_end` that is not in the catalog. The result is never null. Threads: any.
UNDERSTUDY_API boost::system::result<std::shared_ptr<const llm::Catalog>, ConfigErrors>
configured_catalog(const Config& config);

}  // namespace understudy
