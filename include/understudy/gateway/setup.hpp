/// A configuration as a gateway takes it: with the certificate that it names, and the limits of its HTTP server.
///
/// Invariants
/// 1. Reads the files of `server.tls` when it is made, and never else.
/// 2. A value: gateways on several threads may share one.
/// 3. It does not decide where to listen: the caller opens the acceptor. But the gateway trusts `server.host` for
///    the protection against web pages (SECURITY.md, "Browsers"): set it to the address of the acceptor. An address
///    that other machines can reach needs `server.keys`.
///
///     auto setup = Setup::make(config);
///     if (setup.has_error()) { std::cerr << to_string(setup.error()) << "\n"; co_return; }
///     setup->http.with_max_connections(100);  // instead of `server.max_connections`
#pragma once

#include <boost/system/result.hpp>
#include <memory>

#include "understudy/client/config.hpp"
#include "understudy/export.hpp"
#include "understudy/net/http_server.hpp"

namespace understudy::gateway {

/// See the top of the file.
class UNDERSTUDY_API Setup {
 public:
  /// Blocks while it reads the files. Errors: a certificate or key that cannot be used.
  static boost::system::result<Setup, ConfigErrors> make(Config config);

  std::shared_ptr<const Config> config;
  HttpServerOptions http;

 private:
  Setup(Config c, HttpServerOptions h);
};

}  // namespace understudy::gateway
