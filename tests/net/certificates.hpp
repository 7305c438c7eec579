/// Certificates for tests, made when they run: a CA, and what it has signed.
#pragma once

#include <string>

namespace net_test {

/// A folder of its own with PEM files, removed at the end.
class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::string ca() const { return path("ca.pem"); }
  std::string key() const { return path("key.pem"); }  ///< of every certificate

  std::string good() const { return path("good.pem"); }        ///< api.test, *.wild.test, 127.0.0.1
  std::string expired() const { return path("expired.pem"); }  ///< api.test, until yesterday
  std::string wrong_host() const { return path("wrong_host.pem"); }    ///< other.test
  std::string self_signed() const { return path("self_signed.pem"); }  ///< api.test

 private:
  std::string path(const char* name) const { return folder_ + "/" + name; }

  std::string folder_;
};

/// Made once for the program.
const Certificates& certificates();

}  // namespace net_test
