// The good samples are what the lint's advice comes to: they must compile and be clean under ASAN.
#include <doctest/doctest.h>

#include "good/aggregate_after_await.cpp"
#include "good/aggregate_by_reference.cpp"
#include "good/aggregate_empty.cpp"
#include "good/aggregate_prvalue.cpp"
#include "good/array_prvalue.cpp"
#include "good/await_in_braces.cpp"
#include "good/braced_argument.cpp"
#include "good/capture_beside_await.cpp"
#include "good/capture_default.cpp"
#include "good/capture_forwarded.cpp"
#include "good/capture_in_co_spawn.cpp"
#include "good/capture_in_function.cpp"
#include "good/capture_moved.cpp"
#include "good/capture_of_await.cpp"
#include "good/capture_over_lines.cpp"
#include "good/capture_returned.cpp"
#include "good/capture_shared.cpp"
#include "good/conditional_argument.cpp"
#include "good/conditional_awaitable.cpp"
#include "good/conditional_literal.cpp"
#include "good/conditional_of_awaits.cpp"
#include "good/dangling_lambda.cpp"
#include "good/designated_argument.cpp"
#include "good/initializer_list.cpp"
#include "good/member_of_await.cpp"
#include "good/no_false_alarm.cpp"
#include "good/no_harm_in_conditions.cpp"
#include "good/optional_of_aggregate.cpp"
#include "good/vector_prvalue.cpp"

#include <exception>

namespace {

template <class T>
void run(boost::asio::awaitable<T> sample) {
  boost::asio::io_context context;
  std::exception_ptr error;
  boost::asio::co_spawn(context, std::move(sample),
                        [&](std::exception_ptr e, auto&&...) { error = e; });
  context.run();
  CHECK(!error);
}

}  // namespace

TEST_CASE("what the lint advises instead of the patterns that g++ 12.2 miscompiles") {
  run(samples::aggregate_after_await());
  run(samples::aggregate_by_reference());
  run(samples::aggregate_empty());
  run(samples::aggregate_prvalue());
  run(samples::array_prvalue());
  run(samples::await_in_braces());
  run(samples::braced_argument());
  run(samples::capture_beside_await());
  run(samples::capture_default());
  run(samples::capture_forwarded());
  run(samples::capture_in_co_spawn());
  run(samples::capture_in_function());
  run(samples::capture_moved());
  run(samples::capture_of_await());
  run(samples::capture_over_lines());
  run(samples::capture_returned());
  run(samples::capture_shared());
  run(samples::conditional_argument());
  run(samples::conditional_awaitable());
  run(samples::conditional_literal());
  run(samples::conditional_of_awaits());
  run(samples::dangling_lambda());
  run(samples::designated_argument());
  run(samples::initializer_list());
  run(samples::member_of_await());
  run(samples::no_false_alarm());
  run(samples::no_harm_in_conditions());
  run(samples::optional_of_aggregate());
  run(samples::vector_prvalue());
}
