/// Provider doubles that refuse requests exactly as the real back ends do: 27 of them, with the rules, models and error
/// bodies of lib/testing/strict/backends.json, which is compiled in.
///
/// Invariants
/// 1. They share no knowledge with the library that they test: neither its codecs nor its facts about back ends and
///    models. An error in one is found by the other.
/// 2. Pure: the result depends only on the arguments. No I/O and no state, also for reasoning (4).
/// 3. Any bytes are valid input. The cost is near-linear in the size of the body.
/// 4. Signatures, encrypted contents and thought signatures that a double issues have a form of its own (`seal`), by
///    which it recognizes them later; all others are foreign, so they are refused where the real back end refuses them.
/// 5. Answers are written from templates of the protocols' documented forms.
///
///     const StrictBackend& codex = StrictBackends::embedded().backend("codex");
///     HttpFields headers;
///     headers.add("chatgpt-account-id", "account-1");
///     const auto refusal = codex.judge(headers, R"({"model": "gpt-5.6-sol", "max_output_tokens": 100})");
///     CHECK(refusal->status == 400);
///     CHECK(refusal->rule_id == "cx.top");
///     CHECK(refusal->body == R"({"detail":"Unsupported parameter: max_output_tokens"})");
///
/// strict_server.hpp serves one of them over HTTP. Threads: all functions may be called concurrently.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/net/http_message.hpp"

namespace understudy::testing {

namespace strict {
class Facts;
struct BackendFacts;
}  // namespace strict

/// Which rules refuse. The other ones warn.
enum class Strictness : unsigned char {
  documented,  ///< documentation or live reports from two places; not rules marked advisory
  everything,  ///< also those with a single report, unchecked ones, and facts of a deployment
};

/// The response to a request that breaks a rule.
class Refusal {
 public:
  Refusal() {}

  unsigned status = 400;
  HttpFields headers;  ///< without content-type
  std::string content_type;
  std::string body;  ///< in the back end's error form
  std::string
      rule_id;        ///< of backends.json; "json", "body_bytes" or "auth" for what no rule covers
  std::string param;  ///< the member, header or value that is refused, if the rule names one
  std::string message;     ///< as in the body
  bool documented = true;  ///< whether Strictness::documented refuses it
};

/// What a back end makes of a request.
class Verdict {
 public:
  Verdict() {}

  std::optional<Refusal> refusal;  ///< by the first rule that is enforced and broken
  std::vector<Refusal>
      broken;  ///< all broken rules, one refusal per rule, in the order of backends.json
  /// Reasoning that the real back end ignores without an error, as `PLACE: REASON`.
  std::vector<std::string> dropped;
};

/// What an accepted request is answered with.
class StrictAnswerOptions {
 public:
  /// always: if the request has tools and does not end in a tool result. when_asked: if the user's last turn contains
  /// "CALL NAME" (the name of one of the tools). A tool choice that forces a call always leads to one.
  enum class Calls : unsigned char { never, when_asked, always };

  StrictAnswerOptions() {}

  StrictAnswerOptions& with_text(std::string t) { return text = std::move(t), *this; }
  /// The reasoning, where the back end shows any for the request.
  StrictAnswerOptions& with_reasoning(std::string t) { return reasoning = std::move(t), *this; }
  StrictAnswerOptions& with_calls(Calls c) { return calls = c, *this; }
  /// The arguments of a call. Default: a value for each required property of the tool's schema.
  StrictAnswerOptions& with_arguments(std::string json) {
    return arguments = std::move(json), *this;
  }
  /// The same for the tool of that name; it takes precedence.
  StrictAnswerOptions& with_arguments_of(std::string tool, std::string json) {
    return arguments_of.insert_or_assign(std::move(tool), std::move(json)), *this;
  }
  /// Distinguishes answers: their ids contain it.
  StrictAnswerOptions& with_number(std::uint64_t n) { return number = n, *this; }

  std::string text;  ///< empty: a sentence that names the back end
  std::string reasoning = "Let me think about this.";
  Calls calls = Calls::when_asked;
  std::string arguments;
  std::map<std::string, std::string, std::less<>> arguments_of;
  std::uint64_t number = 1;
};

/// A complete response with status 200.
class StrictAnswer {
 public:
  StrictAnswer() {}

  bool streamed = false;
  std::string content_type;
  std::vector<std::string> parts;  ///< the events of a stream, else the body in one part

  std::string body() const;  ///< all parts
};

/// One back end. Owned by StrictBackends.
class UNDERSTUDY_API StrictBackend {
 public:
  StrictBackend(const StrictBackend&) = delete;
  StrictBackend& operator=(const StrictBackend&) = delete;
  ~StrictBackend() = default;

  std::string_view id() const noexcept;             ///< "codex"
  std::string_view protocol() const noexcept;       ///< as in backends.json: "openai_responses"
  std::string_view path() const noexcept;           ///< of requests, behind the base URL
  std::string_view default_model() const noexcept;  ///< for tests
  /// The ids of its rules.
  std::vector<std::string_view> rule_ids() const;

  /// Returns the refusal of a request, or nothing if the back end accepts it. `target`: the path of the request, which
  /// names the model at Vertex AI. Credentials are not checked.
  std::optional<Refusal> judge(const HttpFields& headers, std::string_view body,
                               Strictness strictness = Strictness::documented,
                               std::string_view target = {}) const;
  /// The same with everything that is to be said about the request.
  Verdict examine(const HttpFields& headers, std::string_view body,
                  Strictness strictness = Strictness::documented,
                  std::string_view target = {}) const;
  /// Returns the refusal if the credentials are missing, in a form that the back end does not read, or in two forms
  /// where it refuses that (401). Any key is valid.
  std::optional<Refusal> authorize(const HttpFields& headers) const;

  /// An error in the back end's form.
  Refusal refuse(unsigned status, std::string_view message) const;

  /// The answer to a request that was accepted.
  StrictAnswer answer(const HttpFields& headers, std::string_view body,
                      const StrictAnswerOptions& options = StrictAnswerOptions(),
                      std::string_view target = {}) const;

  /// A signature or encrypted content as this back end issues it for `model`, valid for any text, conversation and
  /// account. Issued in an answer it is bound to these: to the thinking text; for models with `bound` to what precedes
  /// the answer; for Codex, and for models bound to it, to the account, which is chatgpt-account-id, else the credential.
  std::string seal(std::string_view model) const;

 private:
  friend class StrictBackends;
  StrictBackend(const strict::Facts& facts, const strict::BackendFacts& backend) noexcept;

  const strict::Facts& facts_;
  const strict::BackendFacts& backend_;
};

/// All back ends of a facts file.
class UNDERSTUDY_API StrictBackends {
 public:
  /// The ones that are compiled in; parsed at the first call.
  static const StrictBackends& embedded();

  StrictBackends(const StrictBackends&) = delete;
  StrictBackends& operator=(const StrictBackends&) = delete;
  ~StrictBackends();

  /// Throws std::out_of_range if there is none of that id.
  const StrictBackend& backend(std::string_view id) const;
  /// The ids of all back ends.
  std::vector<std::string_view> ids() const;

  /// The kinds of checks that backends.json explains, and whether this code implements one.
  std::vector<std::string_view> check_kinds() const;
  /// Whether this code implements a kind of check.
  static bool implements(std::string_view check_kind) noexcept;
  /// The names of the error bodies' forms; one filled in with `message`.
  std::vector<std::string_view> error_shapes() const;
  /// An error body of that form.
  std::string error_body(std::string_view shape, std::string_view message) const;
  /// The model id after the normalization steps.
  std::string normalized(std::string_view model) const;

 private:
  StrictBackends();

  std::unique_ptr<const strict::Facts> facts_;
  std::map<std::string, std::unique_ptr<StrictBackend>, std::less<>> backends_;
};

}  // namespace understudy::testing
