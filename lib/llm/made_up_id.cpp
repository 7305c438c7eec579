#include "made_up_id.hpp"

#include <atomic>
#include <cstdint>
#include <random>

namespace understudy::llm::detail {
namespace {

std::uint64_t random_start() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

}  // namespace

std::string made_up_id(std::string_view prefix) {
  static std::atomic<std::uint64_t> next(random_start());
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;  // a bijection, so that no id occurs twice
  auto number = next.fetch_add(1, std::memory_order_relaxed) * odd;
  std::string id(prefix);
  id += made_up_mark;
  for (int digit = 0; digit < 16; ++digit) {
    id += "0123456789abcdef"[number >> 60U];
    number <<= 4U;
  }
  return id;
}

bool is_made_up(std::string_view id) noexcept {
  const auto end = id.find_first_of("_-");
  return end != std::string_view::npos && id.substr(end + 1).starts_with(made_up_mark);
}

}  // namespace understudy::llm::detail
