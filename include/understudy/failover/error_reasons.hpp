/// What the errors of other libraries mean for `failover()`: a table that the program fills.
///
/// Invariants
/// 1. A code that is in the table has the reason that the table states, also one that `reason_for` knows.
/// 2. A code is looked up before its category.
/// 3. An exception is given to the functions in the order in which they were added; the first that accepts its type
///    decides. An exception that no function accepts is a bug: it ends the call and is rethrown.
/// 4. Cancellation is not looked up: operation_aborted, and causes of a scope.
///
///     ErrorReasons reasons;
///     reasons.add(std::make_error_code(std::errc::no_link), FailoverReason::connection);
///     reasons.add<std::range_error>([](const std::range_error& busy) {
///       return Failure(FailoverReason::overloaded, busy.what());
///     });
///     const auto policy_of_database = Policy().with_error_reasons(reasons);
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "understudy/export.hpp"
#include "understudy/failover/failure.hpp"

namespace understudy {

/// See the top of the file. A value: copies share what was added before, which does not change. Threads may share one
/// that no thread adds to.
class UNDERSTUDY_API ErrorReasons {
 public:
  /// Failures with this code have this reason.
  ErrorReasons& add(const error_code& code, FailoverReason reason);
  /// Failures with any other code of this category have this reason.
  ErrorReasons& add(const boost::system::error_category& category, FailoverReason reason);
  /// Exceptions of type E, and of types derived from it, are the failures that `convert(const E&)` returns.
  template <class E, class Convert>
  ErrorReasons& add(Convert convert) {
    return add_exception(
        [convert = std::move(convert)](const std::exception_ptr& thrown) -> std::optional<Failure> {
          try {
            std::rethrow_exception(thrown);
          } catch (const E& known) {
            return Failure(convert(known));
          } catch (...) {
            return std::nullopt;
          }
        });
  }

  /// The reason for a code that the table names.
  std::optional<FailoverReason> find(const error_code& code) const noexcept;
  /// The failure for an exception of a type that the table names.
  std::optional<Failure> find(const std::exception_ptr& thrown) const;

 private:
  using Converter = std::function<std::optional<Failure>(const std::exception_ptr&)>;
  struct Table;

  ErrorReasons& add_exception(Converter converter);
  Table& own();

  std::shared_ptr<const Table> table_;
};

}  // namespace understudy
