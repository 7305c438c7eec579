/// A value that must not be printed: an API key, a token.
///
/// Invariants
/// 1. It has no stream operator, no conversion and no formatter. `reveal()` is the only access, so that a search for
///    that name finds every place that reads a secret.
/// 2. Its memory is overwritten when the last copy is destroyed.
///
///     const Secret key(std::getenv("ANTHROPIC_API_KEY"));
///     request.set("x-api-key", key.reveal());
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy {

/// See the top of the file. Copies share the same memory. Threads: any.
class UNDERSTUDY_API Secret {
 public:
  Secret() noexcept {}
  explicit Secret(std::string_view text);

  /// The text. To be used where it is sent, and nowhere else.
  std::string_view reveal() const noexcept;
  /// Whether the text is empty.
  bool empty() const noexcept { return reveal().empty(); }

  /// Compares the contents, in constant time for a given length.
  friend UNDERSTUDY_API bool operator==(const Secret& a, const Secret& b) noexcept;

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace understudy
