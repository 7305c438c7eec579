/// What the refusal of a request names: the parameter or member that this back end or model lacks. And the request
/// without it.
///
/// Invariants
/// 1. Only what a refusal says in so many words is named; a refusal that names nothing gives nothing. What a request
///    cannot do without (the model, the conversation) is never taken out.
/// 2. Any bytes are valid input. The cost is linear.
///
///     const auto refused = refused_part(400, R"({"detail":"Unsupported parameter: max_output_tokens"})");
///     assert(refused->path == "max_output_tokens");
///     const auto mended = without_part(body, refused->mend());
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "understudy/export.hpp"

namespace understudy::llm {

/// A part of a request, as a refusal names it.
class RefusedPart {
 public:
  /// What is wrong with the part.
  enum class Kind : unsigned char {
    parameter,  ///< the member as such is not supported
    value,      ///< the member is supported, but not with this value
    order,      ///< a system message does not stand at the beginning
    limit,      ///< the answer's limit does not fit beside the prompt, which itself fits
    binding,  ///< reasoning is bound to another beginning; the setting at `path` makes the service ignore it
  };

  RefusedPart(Kind k, std::string p, std::string i = {})
      : kind(k), path(std::move(p)), instead(std::move(i)) {}

  /// What is done about it, as the name of a mend (Failure::with_mend): "drop:temperature",
  /// "rename:max_tokens>max_completion_tokens", "demote:messages", "clamp:max_tokens>111072",
  /// "unbind:thinking.block_binding.prefix_mismatch_behavior"; "drop_value:temperature" if only this value is refused.
  std::string mend() const;

  Kind kind;
  std::string
      path;  ///< "reasoning.effort"; `[]` stands for the index of an element: "messages[].name"
  std::string instead;  ///< the name that the refusal suggests, or the limit; empty: none
};

/// Whether the name of a mend is one of RefusedPart::mend.
UNDERSTUDY_API bool is_part_mend(std::string_view name);

/// What the body of a response with this status refuses, or nothing.
UNDERSTUDY_API std::optional<RefusedPart> refused_part(int status, std::string_view body);

/// Whether the response says that this back end or model lacks something that the request has, named or not, or that its
/// limits are others.
UNDERSTUDY_API bool is_capability_refusal(int status, std::string_view body);

/// The request without what a mend names (after "demote": with later system messages as the user's; after "clamp": with a
/// lower limit; after "unbind": with the setting, unless the client has made it), or nothing if there is nothing of that
/// kind in it, or it cannot do without.
UNDERSTUDY_API std::optional<std::string> without_part(std::string_view body,
                                                       std::string_view mend);

/// Whether the body has a member at the path.
UNDERSTUDY_API bool has_part(std::string_view body, std::string_view path);

}  // namespace understudy::llm
