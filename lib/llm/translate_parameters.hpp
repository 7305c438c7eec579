/// The part of a translation that is about parameters and tools; see translate.hpp.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "understudy/llm/translate.hpp"

namespace understudy::llm::detail {

/// The losses of a translation, each named once. What they name comes from outside (fields, tools), and so may
/// be many: they are found in O(log n), without a hash for which a client could choose them.
class Losses {
 public:
  explicit Losses(std::vector<Loss>& out) : out_(out) {
    for (const auto& loss : out_) {
      named_.emplace(loss.kind, loss.what);
    }
  }

  void add(Loss::Kind kind, std::string what) {
    if (const auto [named, fresh] = named_.emplace(kind, std::move(what)); fresh) {
      out_.emplace_back(kind, named->second);
    }
  }

 private:
  std::vector<Loss>& out_;
  std::set<std::pair<Loss::Kind, std::string>> named_;
};

/// `foreign`: the request came in another protocol than the target's, or in none.
void translate_parameters(Request& request, Losses& losses, const TranslationTarget& target,
                          bool foreign);

}  // namespace understudy::llm::detail
