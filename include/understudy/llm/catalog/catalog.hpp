/// What is known about back ends and models: which requests they accept (docs/backends.md).
///
/// A back end is a service that speaks one protocol: the Codex back end and OpenAI's public API speak the same protocol,
/// and accept different requests. A provider of the configuration belongs to a back end by its preset and protocol.
///
/// Invariants
/// 1. The catalog is data (lib/llm/catalog/*.toml), with a source for every rule, and is parsed once.
/// 2. What is not in it is not known: no back end, no rule, no fact. Models are never refused because they are not listed.
/// 3. Of the families that match a model's name, the first counts. A file that is added comes first: its families before
///    the others, its rules in place of those with the same id, and its back ends extend those with the same id.
///
///     const auto& catalog = Catalog::built_in();
///     const BackEnd* codex = catalog.back_end("codex", Protocol::openai_responses);
///     const ModelFacts& facts = catalog.model("gpt-5.6-sol");
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/llm/catalog/model_facts.hpp"
#include "understudy/llm/catalog/rule.hpp"
#include "understudy/llm/protocol.hpp"
#include "understudy/text/source_errors.hpp"

namespace understudy::llm {

/// A service that speaks one protocol.
class BackEnd {
 public:
  BackEnd() {}

  /// The rule with that check which changes requests, or null.
  const BackEndRule* rule(Check check) const noexcept;

  std::string id;                    ///< "codex"
  std::string title;                 ///< "Codex subscription back end"
  std::vector<std::string> presets;  ///< the presets that stand for it
  Protocol protocol = Protocol::openai_chat;
  std::string base_url;        ///< with capital letters where the user's own part belongs
  std::string origin;          ///< the file that says so; empty: it is built in
  bool model_in_path = false;  ///< the model stands in the path, with a verb, and not in the body
  bool binds_account = false;  ///< refuses reasoning that was sealed for another account
  bool owner = false;  ///< the maker of the protocol: its own clients' requests pass unchanged
  /// Patterns of the headers that pass from a client to it, and from it to a client: "x-codex-*".
  std::vector<std::string> request_headers;
  std::vector<std::string> response_headers;
  std::vector<std::string> rule_ids;
  std::vector<const BackEndRule*> rules;
};

/// See the top of the file. A value: copies share their rules. Threads: const functions may be called concurrently.
class UNDERSTUDY_API Catalog {
 public:
  /// The catalog that is compiled in. It lives as long as the program.
  static const Catalog& built_in();

  /// Reads a catalog, or everything that is wrong with the text.
  static std::variant<Catalog, std::vector<text::SourceError>> read(std::string_view toml);

  /// Adds the contents of a file (invariant 3); `origin` is its name, for listings. Returns everything that is wrong with
  /// the text, and adds nothing then.
  std::vector<text::SourceError> add(std::string_view toml, const std::string& origin);

  /// The back end that a preset stands for in this protocol, or the one with that id; null if there is none.
  const BackEnd* back_end(std::string_view preset_or_id, Protocol protocol) const noexcept;
  /// What the back ends of a protocol have in common, for servers that are not known: a request in another protocol is
  /// reduced to it.
  const BackEnd& unknown(Protocol protocol) const noexcept;

  /// Whether a back end takes a client's header of that name, in lower case.
  bool takes_header(std::string_view name) const noexcept;

  /// What is known about the model, under any of its names. An empty value if nothing is.
  const ModelFacts& model(std::string_view name) const;

  /// All back ends that are known.
  const std::vector<BackEnd>& back_ends() const noexcept { return back_ends_; }
  /// All families of models.
  const std::vector<ModelFacts>& families() const noexcept { return families_; }

 private:
  friend class CatalogReader;

  std::vector<ModelFacts> families_;
  std::vector<BackEnd> back_ends_;
  std::vector<std::shared_ptr<const BackEndRule>> rules_;
};

/// The name of a model in the form in which families match it: without region, vendor, version and date, in lower case.
/// "claude-sonnet-4-5" of "us.anthropic.claude-sonnet-4-5-20250929-v1:0".
UNDERSTUDY_API std::string normal_model_name(std::string_view name);

/// Whether a name in that form matches a pattern: from its beginning, up to its end or anything but a letter, a digit, or
/// a dash and a digit. `$` at the end: the whole name. `*` at the end: anything may follow.
UNDERSTUDY_API bool matches_family(std::string_view name, std::string_view pattern) noexcept;

}  // namespace understudy::llm
