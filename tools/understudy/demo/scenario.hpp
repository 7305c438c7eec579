/// The incidents that `understudy demo` shows: what goes wrong at the lead, and how each is to end.
///
/// Two members: the lead, which speaks Anthropic's protocol, and its understudy, which speaks Responses. Limits
/// are scaled down: a second stands for the minutes of the defaults. Where a client's request is given, the understudy is
/// a strict double of Codex's back end (docs/backends.md 7).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "understudy/failover/reason.hpp"
#include "understudy/testing/fault_server.hpp"

namespace understudy::tool {

inline constexpr std::string_view lead_says =
    "Good evening. This is the lead, and I know my lines by heart.";
inline constexpr std::string_view understudy_says =
    "The show goes on: the understudy knows every line, from the first word to the last.";

/// How a scenario ends.
enum class Ending : unsigned char { lead_answers, understudy_answers, fails, cancelled };

std::string_view to_string(Ending ending) noexcept;

struct Scenario {
  std::string_view name;
  std::string_view shows;
  void (*script)(testing::FaultServer& lead, testing::FaultServer& understudy);
  Ending ending;
  /// What the first attempt fails for; nothing: it does not.
  std::optional<FailoverReason> first_failure;
  std::size_t retracts = 0;  ///< how often what was shown is taken back
  bool refresh = false;  ///< the lead's credential is an OAuth token, which a token endpoint renews
  bool cancel = false;   ///< its user goes away amid the answer
  std::string_view request = {};  ///< of a client that speaks Messages; empty: a short question
};

std::span<const Scenario> scenarios();

/// Null if there is none of that name.
const Scenario* find_scenario(std::string_view name);

/// The configuration of a scenario, as its users would write it.
std::string configuration(const Scenario& scenario, std::uint16_t lead_port,
                          std::uint16_t understudy_port, std::uint16_t token_port,
                          const std::string& token_file);

}  // namespace understudy::tool
