/// Ids that a back end takes, made of those that it would refuse. The same id always gives the same one, so a call and
/// its result still belong together, and the prefix of a conversation stays as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace understudy::llm::detail {

/// Letters and digits, of that length at most: a hash of the text. 64 characters at most.
std::string short_id(std::string_view text, std::size_t longest);

/// An anonymous identifier of the end user: a hash of the account or device in `user`. Claude Code's value also contains
/// the session, so a hash of all of it would be another user for each session.
std::string hashed_user(std::string_view user, std::string_view salt, std::size_t longest);

/// The same for other makers than the client's own, which get no device and no session of it. Nothing: the value has
/// neither, so that it can be sent as it is.
std::optional<std::string> anonymous_user(std::string_view user, std::string_view salt);

}  // namespace understudy::llm::detail
