#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "client/config/sections.hpp"
#include "text/ascii.hpp"

namespace understudy::config {
namespace {

struct SourceDraft {
  std::optional<CredentialSource> source;
};

struct OAuthDraft {
  std::string token_file;
  std::optional<Url> token_url;
  std::string client_id;
};

using SourceKey = Key<SourceDraft>;
using OAuthKey = Key<OAuthDraft>;

bool is_variable(std::string_view name) {
  return !is_digit(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '_';
  });
}

bool on_this_machine(const std::string& host) {
  boost::system::error_code none;
  const auto address = asio::ip::make_address(host, none);
  return host == "localhost" || (!none && address.is_loopback());
}

void read_token_url(const Section& section, OAuthDraft& draft) {
  auto url = read_url(section, "token_url");
  if (url && url->endpoint.scheme != Scheme::https && !on_this_machine(url->endpoint.host)) {
    section.wrong("token_url", "`token_url` is neither https nor on this machine",
                  "write https://: a refresh token is worth as much as a password");
  } else {
    draft.token_url = std::move(url);
  }
}

const KeyTable<OAuthDraft>& oauth_keys() {
  static const KeyTable<OAuthDraft> keys(
      SectionRow(
          "providers.NAME.credentials.oauth",
          "A token file, which is refreshed when its token has expired: an object with "
          "`access_token` and `refresh_token`, or Codex's sign-in file (auth.json in its home), "
          "whose account is sent as `chatgpt-account-id`. Programs that share it lock FILE.lock "
          "beside it with flock(2); Codex does not lock, so its tokens are used if it has "
          "refreshed them first."),
      {
          OAuthKey("token_file", String(), &OAuthDraft::token_file, "The file.")
              .required()
              .example(R"("/var/lib/example/tokens.json")"),
          OAuthKey("token_url", {"URL", read_token_url},
                   "Where tokens are refreshed: https, or on this machine.")
              .required()
              .example(R"("https://auth.example.com/oauth/token")"),
          OAuthKey("client_id", String(), &OAuthDraft::client_id,
                   "The client to which the refresh token was issued.")
              .required()
              .example(R"("...")"),
      });
  return keys;
}

void read_env(const Section& section, SourceDraft& draft) {
  const auto env = section.text("env");
  if (env && is_variable(*env)) {
    draft.source = CredentialSource{CredentialSource::Env{*env}, section.place()};
  } else if (env) {
    // The value may be the key itself, so it is not quoted.
    section.wrong("env", "`env` is not the name of an environment variable");
  }
}

void read_file(const Section& section, SourceDraft& draft) {
  if (const auto file = section.text("file")) {
    draft.source = CredentialSource{CredentialSource::File{*file}, section.place()};
  }
}

void read_value(const Section& section, SourceDraft& draft) {
  if (const auto value = section.text("value")) {
    draft.source = CredentialSource{CredentialSource::Value{Secret(*value)}, section.place()};
  }
}

void read_command(const Section& section, SourceDraft& draft) {
  auto arguments = section.texts("command");
  if (arguments && arguments->empty()) {
    section.wrong("command", "`command` has no program",
                  "write command = [\"gcloud\", \"auth\", \"print-access-token\"]");
  } else if (arguments) {
    draft.source =
        CredentialSource{CredentialSource::Command{std::move(*arguments)}, section.place()};
  }
}

void read_client(const Section& section, SourceDraft& draft) {
  const auto on = section.flag("client");
  if (on && !*on) {
    section.wrong("client", "`client` is false", "write client = true, or another credential");
  } else if (on) {
    draft.source = CredentialSource{CredentialSource::Client{}, section.place()};
  }
}

void read_oauth(const Section& section, SourceDraft& draft) {
  const auto table = section.table("oauth", oauth_keys().section().name);
  if (!table) {
    return;
  }
  OAuthDraft oauth;
  oauth_keys().read(*table, oauth);
  table->finish();
  if (oauth.token_url && !oauth.token_file.empty() && !oauth.client_id.empty()) {
    draft.source = CredentialSource{
        CredentialSource::OAuth{oauth.token_file, *oauth.token_url, oauth.client_id},
        section.place()};
  }
}

const KeyTable<SourceDraft>& source_keys() {
  static const KeyTable<SourceDraft> keys(
      SectionRow("providers.NAME.credentials",
                 "An element of the list `credentials`: exactly one of these keys.")
          .as_list(),
      {
          SourceKey("env", {"string", read_env}, "The name of an environment variable.")
              .example(R"("EXAMPLE_API_KEY")"),
          SourceKey("file", {"string", read_file}, "A file that holds the credential alone.")
              .example(R"("/run/secrets/example")")
              .alias("path"),
          SourceKey("value", {"string", read_value}, "The credential itself.")
              .example(R"("...")")
              .alias("api_key"),
          SourceKey("command", {"list of strings", read_command},
                    "A program and its arguments, run without a shell, that prints the credential "
                    "alone. It is run again when the provider refuses what it printed last.")
              .example(R"(["gcloud", "auth", "print-access-token"])"),
          SourceKey("client", {"true", read_client},
                    "The credential that the client of the gateway sends itself. It goes to this "
                    "provider alone, and only if the client speaks a protocol of its maker. The "
                    "others of the list are for requests without one. With `server.keys` the "
                    "gateway's key comes in `x-understudy-key`.")
              .example("true"),
          SourceKey("oauth", {"table", read_oauth}, "A token file, which is refreshed.")
              .example(R"({token_file = "...", token_url = "https://...", client_id = "..."})"),
      });
  return keys;
}

std::optional<CredentialSource> read_source(const Section& section) {
  SourceDraft draft;
  source_keys().read(section, draft);
  section.finish();
  const auto keys = schema().key_names(source_keys().section().name);
  const auto written =
      std::count_if(keys.begin(), keys.end(), [&](auto key) { return section.has(key); });
  if (written == 1) {
    return draft.source;
  }
  section.findings().add(
      section.place(),
      written == 0 ? "a credential without a source" : "a credential with more than one source",
      "write one of " + list_of(keys) + ", each credential in braces of its own");
  return std::nullopt;
}

}  // namespace

const SectionRow& oauth_section() { return oauth_keys().section(); }
const SectionRow& credential_source_section() { return source_keys().section(); }

bool same_source(const CredentialSource& a, const CredentialSource& b) {
  if (a.from.index() != b.from.index()) {
    return false;
  }
  if (const auto* const env = std::get_if<CredentialSource::Env>(&a.from)) {
    return env->name == std::get<CredentialSource::Env>(b.from).name;
  }
  if (const auto* const file = std::get_if<CredentialSource::File>(&a.from)) {
    return file->path == std::get<CredentialSource::File>(b.from).path;
  }
  if (const auto* const value = std::get_if<CredentialSource::Value>(&a.from)) {
    return value->secret == std::get<CredentialSource::Value>(b.from).secret;
  }
  if (const auto* const command = std::get_if<CredentialSource::Command>(&a.from)) {
    return command->arguments == std::get<CredentialSource::Command>(b.from).arguments;
  }
  if (std::holds_alternative<CredentialSource::Client>(a.from)) {
    return true;
  }
  return std::get<CredentialSource::OAuth>(a.from).token_file ==
         std::get<CredentialSource::OAuth>(b.from).token_file;
}

void read_credential_sources(const Section& section, std::vector<CredentialSource>& sources) {
  const auto entries = section.tables("credentials", source_keys().section().name);
  if (!entries) {
    return;
  }
  sources.clear();
  for (const auto& entry : *entries) {
    auto source = read_source(entry);
    const auto same = [&](const auto& other) { return same_source(other, *source); };
    if (source && std::any_of(sources.begin(), sources.end(), same)) {
      section.findings().add(entry.place(), "the same credential is specified twice",
                             "write it once");
    } else if (source) {
      sources.push_back(std::move(*source));
    }
  }
}

}  // namespace understudy::config
