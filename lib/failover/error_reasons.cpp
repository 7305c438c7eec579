#include "understudy/failover/error_reasons.hpp"

#include <algorithm>

namespace understudy {

struct ErrorReasons::Table {
  std::vector<std::pair<error_code, FailoverReason>> codes;
  std::vector<std::pair<const boost::system::error_category*, FailoverReason>> categories;
  std::vector<Converter> converters;
};

/// A copy: other values, and calls under way, may share the present one.
ErrorReasons::Table& ErrorReasons::own() {
  auto copy = table_ ? std::make_shared<Table>(*table_) : std::make_shared<Table>();
  auto& table = *copy;
  table_ = std::move(copy);
  return table;
}

ErrorReasons& ErrorReasons::add(const error_code& code, FailoverReason reason) {
  own().codes.emplace_back(code, reason);
  return *this;
}

ErrorReasons& ErrorReasons::add(const boost::system::error_category& category,
                                FailoverReason reason) {
  own().categories.emplace_back(&category, reason);
  return *this;
}

ErrorReasons& ErrorReasons::add_exception(Converter converter) {
  own().converters.push_back(std::move(converter));
  return *this;
}

std::optional<FailoverReason> ErrorReasons::find(const error_code& code) const noexcept {
  if (!table_) {
    return std::nullopt;
  }
  for (const auto& [known, reason] : table_->codes) {
    if (known == code) {
      return reason;
    }
  }
  for (const auto& [category, reason] : table_->categories) {
    if (*category == code.category()) {
      return reason;
    }
  }
  return std::nullopt;
}

std::optional<Failure> ErrorReasons::find(const std::exception_ptr& thrown) const {
  if (table_) {
    for (const auto& converter : table_->converters) {
      if (auto failure = converter(thrown)) {
        return failure;
      }
    }
  }
  return std::nullopt;
}

}  // namespace understudy
