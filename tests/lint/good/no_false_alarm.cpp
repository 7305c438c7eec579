#include "../sample.hpp"

#include <chrono>
#include <map>

// Looks like the patterns and is none of them.
namespace samples {

template <class T>
concept Sized = requires(T value) {
  { value.size() } -> std::convertible_to<std::size_t>;
};

struct Pair {
  Pair(std::string first, std::string second) : a{std::move(first)}, b{std::move(second)} {}
  std::string a, b;
};

inline awaitable<std::pair<int, std::string>> two() {
  co_await one();
  co_return std::pair(2, big);
}

template <Sized T>
auto spawn(T value) -> awaitable<std::size_t> {
  co_return value.size();
}

inline awaitable<void> no_false_alarm() {
  using namespace std::chrono_literals;
  auto text = shared();
  auto executor = co_await asio::this_coro::executor;
  std::vector<int> numbers{1, 2, 3};
  // co_await call([text] { return text->size(); });  /* co_await take(Agg{big}) */
  const std::string quoted =
      "co_await f([x] {})"
      R"(co_await f(Agg{1}); ")" +
      std::string(1, '{');
  const char brace = '}', quote = '\'', number = 1'0 / 1'0;

  // A lambda's body is an expression of its own; so is what stands before a `;` or a `{`.
  co_await call([&] {
    auto inner = [text] { return text->size(); };
    Agg value{big, big};
    return inner() + value.a.size();
  });
  if (co_await one()) {
    Agg value{big, big};
    numbers[0] += static_cast<int>(value.a.size());
  } else if (int more = co_await one(); more > 1'000) {
    numbers = {1, 2};
  }
  for (int left = co_await one(); left > 0; --left) {
    numbers.push_back(left);
  }
  switch (co_await one()) {
    case 1: {
      const Agg value{big, big};
      break;
    }
    default: break;
  }
  asio::co_spawn(executor, [text]() -> awaitable<void> { co_await one(); }, asio::detached);

  numbers[static_cast<std::size_t>(co_await one())] = (numbers)[0];
  [[maybe_unused]] const auto subscript = (co_await pass(numbers))[0];
  auto&& [first, second] = co_await two();
  auto [third, fourth] = co_await two();
  std::map<std::string, int> map;
  map[fourth] = co_await pass(numbers[1]);
  asio::steady_timer timer(executor, std::chrono::milliseconds{1});
  co_await pass(std::chrono::milliseconds{1} + 1ms);
  co_await spawn(std::string("text"));
  co_await pass(Pair(big, big));
  co_await [&]() -> awaitable<void> { co_await timer.async_wait(use_awaitable); }();
  const int n = first + third + brace + quote + number;
  co_await call([n] { return static_cast<std::size_t>(n); });  // lint: allow(capture) n is an int
  // lint: allow(capture) n is an int
  co_await call([n] { return static_cast<std::size_t>(n); });
}

}  // namespace samples
