/// Providers in a process of their own, for what is measured with many connections: both ends of each
/// would not fit one process's descriptors, nor its memory figures.
#pragma once

#include <cstdint>
#include <vector>

#include "understudy/testing/fault_server.hpp"
#include "understudy/testing/test_certificates.hpp"

namespace bench {

/// Forks on construction, so before there are threads; one free port on loopback for each script. With
/// certificates: over TLS.
class ProviderProcess {
 public:
  explicit ProviderProcess(const std::vector<understudy::testing::Reply>& scripts,
                           const understudy::testing::TestCertificates* certificates = nullptr);
  ~ProviderProcess();
  ProviderProcess(const ProviderProcess&) = delete;
  ProviderProcess& operator=(const ProviderProcess&) = delete;

  std::vector<std::uint16_t> ports;

 private:
  int child_ = 0;
};

/// Raises the limit on descriptors as far as it goes, and says how far.
std::uint64_t raise_descriptor_limit();

}  // namespace bench
