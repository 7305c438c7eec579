/// The sections of the configuration: a table of keys for each, and the functions that read it.
///
/// Invariants
/// 1. A key is one row of its section's table. What depends on several keys is checked after all of them are read.
/// 2. A section is read to its end whatever is wrong in it, so that all errors are reported at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/keys.hpp"
#include "understudy/client/config.hpp"

namespace understudy::config {

using namespace text;  // what the tables are made of

/// All sections, in the order of the documentation.
const Schema& schema();

// --- chains ---------------------------------------------------------------------------------------

/// `[model]`, `[[fallback_providers]]` and the members of a route's `chain`.
const KeyTable<MemberConfig>& first_member_keys();
const KeyTable<MemberConfig>& fallback_member_keys();
const KeyTable<MemberConfig>& chain_member_keys();

/// `[[routes]]`: its own keys, beside those of `[fallback]`.
struct RouteDraft {
  RouteConfig route;
  std::optional<std::vector<Section>> chain;
};
const KeyTable<RouteDraft>& route_keys();

/// `[fallback]`, and the same keys in a route. The caller finishes the section.
const KeyTable<RouteConfig>& fallback_keys();
void read_fallback(const Section& section, RouteConfig& route);

// --- attempts -------------------------------------------------------------------------------------

/// `[stall]`, and tables of the same keys. `beneath`: settings that apply where `settings` say nothing.
struct StallDraft {
  StallSettings settings;
  StallSettings beneath;
};
const KeyTable<StallDraft>& stall_keys();
void read_stall(const Section& section, StallSettings& settings, const StallSettings& beneath = {});

/// `[retry]`, and tables of the same keys.
struct RetryDraft {
  BackoffSettings backoff;
  BudgetSettings budget;
};
const KeyTable<RetryDraft>& retry_keys();
struct RetryWritten {  ///< whether the section says anything of the one and of the other
  bool backoff = false;
  bool budget = false;
};
RetryWritten read_retry(const Section& section, RetryDraft& draft);

/// `[credentials]`.
struct CredentialsDraft {
  Strategy strategy = Config().strategy;
  ReasonSet recover = Policy().recover;
  double quota_reserve = Policy().quota_reserve;
  std::optional<std::size_t> max_concurrent = Config().max_concurrent;
  std::size_t max_queued = Config().max_queued;
  Clock::duration queue_time = Config().queue_time;
};
const KeyTable<CredentialsDraft>& credentials_keys();

/// The largest number of calls that a limit may be set to.
inline constexpr std::int64_t most_calls = 1'000'000;

// --- providers ------------------------------------------------------------------------------------

/// What the whole file says, where that is needed to read a provider.
struct ProviderDefaults {
  StallSettings stall;
  RetryDraft retry;
};

/// Empty if its protocol or its base URL is missing or wrong.
std::optional<ProviderConfig> read_provider(const std::string& name, const Section& section,
                                            const ProviderDefaults& defaults);
const SectionRow& provider_section();

/// The keys of `headers`, which are names of headers.
void read_headers(const Section& section, HttpFields& headers);

/// The elements of `credentials`.
void read_credential_sources(const Section& section, std::vector<CredentialSource>& sources);
const SectionRow& credential_source_section();
const SectionRow& oauth_section();

/// Whether both are read from the same place, or are the same value.
bool same_source(const CredentialSource& a, const CredentialSource& b);

/// The tables in `models`. `beneath`: the limits of their provider.
void read_models(const Section& section, ProviderConfig& provider, const StallSettings& beneath);
const SectionRow& model_section();

/// A URL without user and password.
std::optional<Url> read_url(const Section& section, std::string_view key);

// --- the gateway ----------------------------------------------------------------------------------

const KeyTable<ServerConfig>& server_keys();
const KeyTable<ServerConfig::Tls>& tls_keys();
const KeyTable<LogConfig>& log_keys();

// --- the catalog ----------------------------------------------------------------------------------

const KeyTable<CatalogConfig>& catalog_keys();

// --- reasoning ------------------------------------------------------------------------------------

const KeyTable<ReasoningConfig>& reasoning_keys();

// --- the environment ------------------------------------------------------------------------------

/// UNDERSTUDY_STREAM_STALE_TIMEOUT and its alias.
void read_environment(Findings& findings, const Environment& environment, StallSettings& settings);

}  // namespace understudy::config
