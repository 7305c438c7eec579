#include "understudy/failover/secret.hpp"

namespace understudy {
namespace {

void wipe(std::string* text) {
  volatile char* byte = text->data();  // volatile: the compiler must not see that nobody reads it
  for (std::size_t i = 0; i < text->size(); ++i) {
    byte[i] = 0;
  }
  delete text;
}

}  // namespace

Secret::Secret(std::string_view text) : text_(new std::string(text), wipe) {}

std::string_view Secret::reveal() const noexcept {
  return text_ ? std::string_view(*text_) : std::string_view();
}

bool operator==(const Secret& a, const Secret& b) noexcept {
  const auto x = a.reveal();
  const auto y = b.reveal();
  if (x.size() != y.size()) {
    return false;
  }
  unsigned difference = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    difference |= static_cast<unsigned char>(x[i]) ^ static_cast<unsigned char>(y[i]);
  }
  return difference == 0;
}

}  // namespace understudy
