#include <algorithm>

#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

using CredentialsKey = Key<CredentialsDraft>;

/// A list of reasons by their names.
class ReasonList {
 public:
  std::string type() const { return "list of reasons"; }
  std::string bounds() const { return {}; }

  std::optional<ReasonSet> read(const Section& section, std::string_view key) const {
    const auto* const list = section.list(key);
    if (list == nullptr) {
      return std::nullopt;
    }
    ReasonSet reasons;
    for (const auto& node : *list) {
      const auto name =
          text_of(section.findings(), node, key, "write reasons, such as \"timeout\"");
      const auto reason = name ? reason_from(*name) : std::nullopt;
      if (reason) {
        reasons.insert(*reason);
      } else if (name) {
        note_unknown(section, node, *name);
      }
    }
    return reasons;
  }

  std::string text(ReasonSet reasons) const {
    std::string list;
    for (const auto& row : all_reasons()) {
      if (reasons.contains(row.reason)) {
        list += (list.empty() ? "" : ", ") + in_quotes(row.name);
      }
    }
    return "[" + list + "]";
  }

 private:
  static void note_unknown(const Section& section, const TomlNode& node, const std::string& name) {
    std::vector<std::string_view> names;
    for (const auto& row : all_reasons()) {
      names.push_back(row.name);
    }
    const auto meant = nearest(name, names);
    section.findings().add(
        node.place, "unknown reason \"" + excerpt(name) + "\"",
        meant.empty() ? "write " + list_of(names, "\"") : "did you mean " + in_quotes(meant) + "?");
  }
};

}  // namespace

const KeyTable<CredentialsDraft>& credentials_keys() {
  static const KeyTable<CredentialsDraft> keys(
      SectionRow("credentials", "Which credential is used where a provider has several.")
          .with_header("[credentials]"),
      {
          CredentialsKey(
              "strategy",
              Choice<Strategy>({{"fill_first", Strategy::fill_first},
                                {"round_robin", Strategy::round_robin},
                                {"least_used", Strategy::least_used},
                                {"random", Strategy::random}}),
              &CredentialsDraft::strategy,
              "`\"fill_first\"` (the first one that is available), `\"round_robin\"` (each in "
              "turn), `\"least_used\"` or `\"random\"`."),
          CredentialsKey(
              "recover", ReasonList(), &CredentialsDraft::recover,
              "The reasons of failure for which another credential of the same provider is "
              "tried. docs/failover.md 1.1 lists all reasons."),
          CredentialsKey(
              "max_concurrent", Whole(1, most_calls), &CredentialsDraft::max_concurrent,
              "How many calls may use one credential at the same time, for plans that allow only "
              "a few. Further calls wait; those that wait too long ask the next member. "
              "`max_concurrent` of a provider goes before it.")
              .default_note("any number")
              .example("3"),
          CredentialsKey("max_queued", Whole(0, most_calls), &CredentialsDraft::max_queued,
                         "How many calls may wait for a credential that is in use. Others ask the "
                         "next member at once."),
          CredentialsKey("queue_time", Duration(), &CredentialsDraft::queue_time,
                         "How long a call waits for a credential that is in use."),
          CredentialsKey(
              "quota_reserve", Share(), &CredentialsDraft::quota_reserve,
              "A credential of whose quota less than this share is left, as the provider's "
              "headers state it, is passed over while another one, or another member, is healthy. "
              "0: never."),
      });
  return keys;
}

}  // namespace understudy::config
