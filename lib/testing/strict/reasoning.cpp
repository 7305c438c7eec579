#include "testing/strict/reasoning.hpp"

#include <algorithm>
#include <map>

#include "testing/strict/checks.hpp"
#include "testing/strict/seal.hpp"

namespace understudy::testing::strict {
namespace {

using Fate = SealedPart::Fate;

/// Whether a mismatch of the prefix is to be ignored, and that is possible.
bool drops_mismatches(const Asked& asked) {
  const auto* const rule = asked.backend.rule_with(checks::binding);
  const auto renamed = rule != nullptr ? rule->text("renamed") : std::string_view();
  const Path path(renamed.empty() ? "thinking.block_binding.prefix_mismatch_behavior" : renamed);
  return string_of(path.find(asked.body)) == "drop_block" &&
         contains(asked.betas, "thinking-binding-controls-2026-08-01");
}

/// The model that a seal names.
struct Issuer {
  const ModelFacts* model = nullptr;
  bool is_read = false;  ///< whether the model that is asked for reads its reasoning
};

Issuer issuer_of(const Asked& asked, const std::string& name) {
  const auto& reads = asked.model->reads;
  Issuer issuer;
  issuer.model = asked.facts.model(name);
  issuer.is_read = issuer.model == asked.model ||
                   std::any_of(reads.begin(), reads.end(), [&](const std::regex& other) {
                     return std::regex_search(name, other);
                   });
  return issuer;
}

bool is_family(const Asked& asked, std::string_view backend) {
  const auto& all = asked.facts.backends();
  return std::any_of(all.begin(), all.end(), [&](const BackendFacts& one) {
    return one.id == backend && one.family == asked.backend.family;
  });
}

class Reader {
 public:
  explicit Reader(const Asked& asked) : asked_(asked), account_(asked.account()) {
    if (asked.model != nullptr && asked.model->bound("prefix")) {
      prefixes_ = prefixes_of(asked);
    }
  }

  /// `at` of Asked::said.
  void judge(SealedPart& part, std::size_t at, std::optional<std::string_view> thinking) {
    const auto seal = Seal::read(part.seal);
    if (!seal || !is_family(asked_, seal->backend) ||
        (thinking && !agrees(seal->text, digest(*thinking)))) {
      part.fate = Fate::foreign;
      return;
    }
    const bool own_account = agrees(seal->account, account_);
    if (asked_.model == nullptr || !asked_.model->bound("prefix")) {
      // Of Responses, Codex is the one whose account is known to be checked with every model.
      part.fate = asked_.backend.id == "codex" && !own_account ? Fate::foreign : Fate::read;
      return;
    }
    const auto issuer = issuer_named(seal->model);
    const bool same_prefix = agrees(seal->prefix, prefixes_.of[at]);
    if (asked_.backend.form == Form::messages) {
      if (!issuer.is_read) {
        drop(part, "of a model that this one does not read", "model_binding_mismatch");
      } else if (asked_.model->bound("account") && !own_account) {
        drop(part, "of another account", "organization_binding_mismatch");
      } else if (issuer.model != nullptr && issuer.model->bound("prefix") && !same_prefix) {
        if (drops_mismatches(asked_)) {
          drop(part, "bound to another conversation", "prefix_binding_mismatch");
        } else {
          part.fate = Fate::moved;
        }
      }
    } else if (!own_account) {
      drop(part, "of another account", "organization_binding_mismatch");
    } else if (issuer.model != asked_.model) {
      drop(part, "of another model", "model_binding_mismatch");
    } else if (!same_prefix) {
      drop(part, "bound to another conversation", "prefix_binding_mismatch");
    }
  }

 private:
  static void drop(SealedPart& part, std::string why, std::string reason) {
    part.fate = Fate::dropped;
    part.why = std::move(why);
    part.reason = std::move(reason);
  }

  /// To look a name up takes dozens of regular expressions.
  Issuer issuer_named(const std::string& name) {
    const auto known = issuers_.find(name);
    return known != issuers_.end() ? known->second
                                   : issuers_.emplace(name, issuer_of(asked_, name)).first->second;
  }

  const Asked& asked_;
  std::string account_;
  Prefixes prefixes_;
  std::map<std::string, Issuer> issuers_;
};

}  // namespace

std::vector<SealedPart> sealed_parts(const Asked& asked) {
  std::vector<SealedPart> all;
  if (asked.backend.form == Form::chat) {
    return all;
  }
  std::optional<Reader> reader;
  const auto add = [&](std::size_t at, std::size_t block, std::optional<Json> seal,
                       std::optional<std::string_view> thinking) {
    SealedPart part;
    part.index = asked.said[at].index;
    part.block = block;
    const auto text = string_of(seal);
    if (text) {
      part.seal = text->substr(0, 2048);  // ours are shorter
    }
    if (!text || text->empty()) {
      part.fate = text ? Fate::foreign : Fate::missing;
    } else {
      if (!reader) {
        reader.emplace(asked);
      }
      reader->judge(part, at, thinking);
    }
    all.push_back(std::move(part));
  };
  for (std::size_t at = 0; at < asked.said.size(); ++at) {
    const auto& one = asked.said[at];
    if (asked.backend.form == Form::responses) {
      if (const auto content = present(one.value, "encrypted_content")) {
        add(at, 0, content, std::nullopt);
      }
      continue;
    }
    const auto blocks = one.blocks();
    if (!blocks) {
      continue;
    }
    std::size_t number = 0;
    for (const Json block : *blocks) {
      const auto type = text_of(std::optional(block), "type");
      if (type == "thinking") {
        add(at, number, member(block, "signature"), text_of(std::optional(block), "thinking"));
      } else if (type == "redacted_thinking") {
        add(at, number, member(block, "data"), std::nullopt);
      }
      ++number;
    }
  }
  return all;
}

}  // namespace understudy::testing::strict
