#include "understudy/testing/strict_backend.hpp"

#include <algorithm>
#include <stdexcept>

#include "testing/strict/answer.hpp"
#include "testing/strict/asked.hpp"
#include "testing/strict/checks.hpp"
#include "testing/strict/embedded.hpp"
#include "testing/strict/reasoning.hpp"
#include "testing/strict/refusal.hpp"
#include "testing/strict/seal.hpp"

namespace understudy::testing {
namespace {

/// Servers without a limit of their own in backends.json.
constexpr double most_body_bytes = 64.0 * 1024 * 1024;

std::string request_id(std::string_view body) { return "req_" + strict::digest(body); }

strict::ErrorFields error_fields(unsigned status, std::string message, std::string_view body) {
  strict::ErrorFields fields;
  fields.status = status;
  fields.message = std::move(message);
  fields.id = request_id(body);
  return fields;
}

}  // namespace

std::string StrictAnswer::body() const {
  std::string whole;
  for (const auto& part : parts) {
    whole += part;
  }
  return whole;
}

StrictBackend::StrictBackend(const strict::Facts& facts,
                             const strict::BackendFacts& backend) noexcept
    : facts_(facts), backend_(backend) {}
std::string_view StrictBackend::id() const noexcept { return backend_.id; }
std::string_view StrictBackend::protocol() const noexcept {
  return strict::text_of(backend_.data, "protocol");
}
std::string_view StrictBackend::path() const noexcept {
  return strict::text_of(backend_.data, "path");
}
std::string_view StrictBackend::default_model() const noexcept {
  return strict::text_of(backend_.data, "default_model");
}

std::vector<std::string_view> StrictBackend::rule_ids() const {
  std::vector<std::string_view> ids;
  ids.reserve(backend_.rules.size());
  for (const auto& rule : backend_.rules) {
    ids.push_back(rule.id);
  }
  return ids;
}

std::optional<Refusal> StrictBackend::judge(const HttpFields& headers, std::string_view body,
                                            Strictness strictness, std::string_view target) const {
  return examine(headers, body, strictness, target).refusal;
}

Verdict StrictBackend::examine(const HttpFields& headers, std::string_view body,
                               Strictness strictness, std::string_view target) const {
  Verdict verdict;
  const auto fail = [&](unsigned status, const std::string& message, std::string_view rule) {
    auto refusal = refuse(status, message);
    refusal.rule_id = rule;
    verdict.broken.push_back(refusal);
    verdict.refusal = std::move(refusal);
  };
  const auto most =
      strict::number_of(strict::member(strict::member(backend_.data, "limits"), "body_bytes"));
  if (static_cast<double>(body.size()) > most.value_or(most_body_bytes)) {
    fail(413, "Request exceeds the maximum size", "body_bytes");
    return verdict;
  }
  strict::Asked asked(facts_, backend_, headers, target);
  if (!asked.read(body)) {
    fail(400, "The request body is not valid JSON", "json");
    return verdict;
  }
  const auto id = request_id(body);
  for (const auto& rule : backend_.rules) {
    const auto violation = rule.check(rule, asked);
    if (!violation) {
      continue;
    }
    verdict.broken.push_back(strict::refusal_by(rule, *violation, asked, id));
    verdict.broken.back().documented = rule.documented;
    if (!verdict.refusal && (rule.documented || strictness == Strictness::everything)) {
      verdict.refusal = verdict.broken.back();
    }
  }
  for (const auto& part : strict::sealed_parts(asked)) {
    if (part.fate == strict::SealedPart::Fate::dropped) {
      verdict.dropped.push_back(std::to_string(part.index) + "." + std::to_string(part.block) +
                                ": " + part.why);
    }
  }
  return verdict;
}

std::optional<Refusal> StrictBackend::authorize(const HttpFields& headers) const {
  const auto given = [&](std::string_view name) {
    const auto value = headers.find(name);
    return value && !value->empty();
  };
  const auto bearer = headers.find("authorization");
  const bool has_bearer = bearer && bearer->starts_with("Bearer ") && bearer->size() > 7;
  bool taken = false;
  std::size_t forms = 0;
  strict::each_object(strict::member(backend_.data, "auth"), [&](strict::JsonObject form) {
    const auto style = strict::text_of(form, "style");
    if (style == "none") {
      taken = true;
      return;
    }
    const bool is_bearer = style == "bearer";
    if (is_bearer ? !has_bearer : !given(style)) {
      return;
    }
    ++forms;
    // The sign-in tokens of Anthropic need a beta; its other tokens do not.
    const auto beta = strict::text_of(form, "needs_beta");
    bool has_beta = beta.empty() || !bearer->starts_with("Bearer sk-ant-oat");
    for (const auto value : strict::values_of(headers, "anthropic-beta")) {
      has_beta = has_beta || has_token(value, beta);
    }
    taken = taken || has_beta;
  });
  const bool both = forms > 1 && !strict::text_of(backend_.data, "both_credentials").empty();
  if (taken && !both) {
    return std::nullopt;
  }
  auto fields = error_fields(
      401, both ? "only one form of credentials may be sent" : "invalid or missing credentials",
      {});
  fields.type = "authentication_error";
  auto refusal = strict::error_in(facts_, strict::text_of(backend_.data, "error_shape"), fields);
  refusal.rule_id = "auth";
  return refusal;
}

Refusal StrictBackend::refuse(unsigned status, std::string_view message) const {
  return strict::error_in(facts_, strict::text_of(backend_.data, "error_shape"),
                          error_fields(status, std::string(message), message));
}

StrictAnswer StrictBackend::answer(const HttpFields& headers, std::string_view body,
                                   const StrictAnswerOptions& options,
                                   std::string_view target) const {
  strict::Asked asked(facts_, backend_, headers, target);
  asked.read(body);
  return strict::answer_to(asked, body.size(), options);
}

std::string StrictBackend::seal(std::string_view model) const {
  strict::Seal seal;
  seal.backend = backend_.id;
  seal.model = facts_.normalized(model);
  return seal.write();
}

StrictBackends::StrictBackends() {
  std::string json;
  for (const auto piece : strict::embedded()) {
    json += piece;
  }
  facts_ = std::make_unique<const strict::Facts>(std::move(json));
  for (const auto& backend : facts_->backends()) {
    backends_.emplace(backend.id, new StrictBackend(*facts_, backend));
  }
}
StrictBackends::~StrictBackends() = default;

const StrictBackends& StrictBackends::embedded() {
  static const StrictBackends all;
  return all;
}

const StrictBackend& StrictBackends::backend(std::string_view id) const {
  const auto found = backends_.find(id);
  if (found == backends_.end()) {
    throw std::out_of_range("there is no back end \"" + std::string(id) + "\"");
  }
  return *found->second;
}

std::vector<std::string_view> StrictBackends::ids() const {
  std::vector<std::string_view> all;
  for (const auto& backend : facts_->backends()) {
    all.push_back(backend.id);
  }
  return all;
}

std::vector<std::string_view> StrictBackends::check_kinds() const {
  std::vector<std::string_view> kinds;
  const auto checks = strict::object_of(strict::member(facts_->root(), "checks"));
  for (const auto field : checks.value()) {
    kinds.push_back(field.key);
  }
  return kinds;
}

bool StrictBackends::implements(std::string_view check_kind) noexcept {
  return strict::check_of(check_kind) != nullptr;
}

std::vector<std::string_view> StrictBackends::error_shapes() const {
  std::vector<std::string_view> shapes;
  const auto all = strict::object_of(strict::member(facts_->root(), "error_shapes"));
  for (const auto field : all.value()) {
    shapes.push_back(field.key);
  }
  return shapes;
}

std::string StrictBackends::error_body(std::string_view shape, std::string_view message) const {
  return strict::error_in(*facts_, shape, error_fields(400, std::string(message), message)).body;
}

std::string StrictBackends::normalized(std::string_view model) const {
  return facts_->normalized(model);
}

}  // namespace understudy::testing
