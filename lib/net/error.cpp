#include "understudy/net/error.hpp"

#include <boost/system/error_category.hpp>
#include <boost/system/system_error.hpp>

namespace understudy {
namespace {

class NetCategory final : public boost::system::error_category {
 public:
  // The id makes copies of the category in two shared libraries equal.
  constexpr NetCategory() noexcept : error_category(0x8c41e07d5b92f316ULL) {}

  const char* name() const noexcept override { return "understudy.net"; }

  std::string message(int value) const override {
    switch (static_cast<NetFault>(value)) {
      case NetFault::invalid_url: return "invalid URL";
      case NetFault::invalid_request: return "invalid request";
      case NetFault::no_address: return "no address";
      case NetFault::resolver_busy: return "name resolution overloaded";
      case NetFault::proxy: return "proxy error";
      case NetFault::tls_setup: return "TLS setup failed";
      case NetFault::tls: return "TLS error";
      case NetFault::certificate: return "certificate verification failed";
      case NetFault::redirect: return "redirect not followed";
      case NetFault::content_encoding: return "unrequested content encoding";
      case NetFault::transfer_encoding: return "unsupported transfer encoding";
      case NetFault::malformed: return "malformed HTTP message";
      case NetFault::header_too_large: return "HTTP header too large";
      case NetFault::body_too_large: return "HTTP body too large";
      case NetFault::truncated: return "connection ended before the end of the HTTP message";
      case NetFault::stale_connection: return "reused connection closed before the answer began";
      case NetFault::too_many_interim: return "too many interim responses";
      case NetFault::too_slow: return "peer too slow";
      case NetFault::undecodable: return "the compressed body cannot be decoded";
    }
    return "unknown network fault";
  }
};

}  // namespace

const boost::system::error_category& net_category() noexcept {
  static const NetCategory category;
  return category;
}

std::string to_string(const NetError& error) {
  std::string text = error.code.message();
  if (!error.text.empty()) {
    text += ": " + error.text;
  }
  if (error.phase != Phase::none) {
    text += " (";
    text += to_string(error.phase);
    text += ")";
  }
  return text;
}

void throw_exception_from_error(const NetError& error, const boost::source_location&) {
  throw boost::system::system_error(error.code, to_string(error));
}

}  // namespace understudy
