#pragma once
// What the samples in bad/ and good/ call. The bad ones are read by the lint, never compiled here;
// with g++ 12.2 and ASAN each of them is a double free, a use after free or no compile.

#include <boost/asio.hpp>

#include <array>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace samples {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;

inline const std::string big = "long enough to live on the heap and not within the string";

struct Agg {
  std::string a = big;
  std::string b = big;
};

inline awaitable<int> one() {
  co_await asio::post(co_await asio::this_coro::executor, use_awaitable);
  co_return 1;
}

template <class T>
awaitable<T> pass(T value) {
  co_await one();
  co_return value;
}

inline awaitable<std::size_t> take(Agg value) {
  co_await one();
  co_return value.a.size();
}

inline awaitable<std::size_t> take_reference(const Agg& value) {
  co_await one();
  co_return value.a.size();
}

inline awaitable<std::size_t> take_optional(std::optional<Agg> value) {
  co_await one();
  co_return value ? value->a.size() : 0;
}

inline awaitable<std::size_t> take_list(std::initializer_list<std::string> values) {
  const std::size_t size = values.size();
  co_await one();
  co_return size;
}

template <class F>
awaitable<std::size_t> call(F f) {
  co_await one();
  co_return f();
}

inline awaitable<std::size_t> call_function(std::function<std::size_t()> f) {
  co_await one();
  co_return f();
}

template <class F>
awaitable<std::size_t> call_forwarded(F&& f) {
  return call(std::forward<F>(f));
}

template <class F>
std::size_t call_now(F f, int more) {
  return f() + static_cast<std::size_t>(more);
}

inline std::shared_ptr<std::string> shared() { return std::make_shared<std::string>(big); }

}  // namespace samples
