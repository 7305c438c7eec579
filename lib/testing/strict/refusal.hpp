/// Fills in the error forms of backends.json.
#pragma once

#include <string>
#include <string_view>

#include "testing/strict/facts.hpp"
#include "understudy/testing/strict_backend.hpp"

namespace understudy::testing::strict {

/// What the placeholders of an error form stand for.
struct ErrorFields {
  unsigned status = 400;
  std::string message;
  std::string type;  ///< empty: the form's own word
  std::optional<std::string> param;
  std::optional<std::string> code;
  std::vector<std::string> loc;
  std::string id;
};

/// The error in the form of that name.
Refusal error_in(const Facts& facts, std::string_view shape, const ErrorFields& fields);

/// The refusal of a request that breaks the rule.
Refusal refusal_by(const Rule& rule, const Violation& violation, const Asked& asked,
                   std::string_view request_id);

}  // namespace understudy::testing::strict
