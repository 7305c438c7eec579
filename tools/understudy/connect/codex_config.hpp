/// Makes a gateway the provider of Codex, in the text of its configuration.
///
/// Invariants
/// 1. Lines are added, and values of these keys replaced; all other bytes are kept. Keys of the root are added at the
///    beginning, which is before the first table in any file, and a table at the end.
/// 2. The text is parsed before and after. Where the settings cannot be read back from the edited text (inline tables,
///    strings over several lines), there is an error and no text.
/// 3. A text that has all settings comes back as it is.
///
///     with_codex_provider(file, text, provider).value();  // model_provider = "understudy" ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "source_result.hpp"

namespace understudy::tool {

class CodexProvider {
 public:
  /// `env_key`, which names the variable that has the gateway's key.
  enum class EnvKey : unsigned char {
    absent,   ///< removed: Codex refuses to run without the variable
    present,  ///< added if there is none; a name that the user has chosen stays
    kept,     ///< as it is
  };

  std::string base_url;
  EnvKey env_key = EnvKey::kept;
  std::optional<std::uint64_t> compact_limit;  ///< a smaller one in the file stays
};

/// The variable, unless the user has chosen another.
inline constexpr std::string_view key_variable = "UNDERSTUDY_KEY";

/// `file` is for errors.
SourceResult<std::string> with_codex_provider(const std::string& file, std::string_view text,
                                              const CodexProvider& provider);

}  // namespace understudy::tool
