/// The sections of the file, each read into its own type.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config_reader.hpp"
#include "understudy/client/config.hpp"

namespace understudy::detail {

/// The keys of `[fallback]`, there or in a route. The section is not finished by it.
void read_fallback(Section& section, Policy& policy, DeliverySettings& delivery);

/// `beneath`: settings that "auto" would not undo, for those are used where `settings` say nothing.
void read_stall(Section section, StallSettings& settings, const StallSettings* beneath = nullptr);

/// What the section says in place of what the two are already; whether it says anything of the one, the other.
struct RetryKeys {
  bool backoff = false;
  bool budget = false;
};
RetryKeys read_retry(Section section, BackoffSettings& backoff, BudgetSettings& budget);

void read_credentials(Section section, ReasonSet& recover, Strategy& strategy);

/// Where what the whole file says is needed to read a provider.
struct ProviderDefaults {
  StallSettings stall;
  BackoffSettings backoff;
  BudgetSettings budget;
};

/// Nothing if protocol or base URL are missing or wrong.
std::optional<ProviderConfig> read_provider(const std::string& name, Section section,
                                            const ProviderDefaults& defaults);

/// Whether both are read from the same place, or are the same value.
bool same_source(const CredentialSource& a, const CredentialSource& b);

void read_server(Section section, ServerConfig& server);
void read_log(Section section, LogConfig& log);

/// UNDERSTUDY_STREAM_STALE_TIMEOUT and its alias.
void read_environment(Findings& findings, const Environment& environment, StallSettings& settings);

}  // namespace understudy::detail
