#include "understudy/runtime/local_fault.hpp"

#include <doctest/doctest.h>

#include <boost/asio/error.hpp>
#include <boost/system/errc.hpp>
#include <cerrno>

#include "understudy/runtime/cause.hpp"

using namespace understudy;
using boost::system::error_code;
namespace errc = boost::system::errc;

TEST_CASE("system errors about this machine are local faults; those about the peer are not") {
  class Row {
   public:
    error_code code;
    std::optional<LocalFault> fault;
  };
  const auto system = [](int number) {
    return error_code(number, boost::system::system_category());
  };
  const Row rows[] = {
      {system(EMFILE), LocalFault::descriptors},
      {system(ENFILE), LocalFault::system_descriptors},
      {system(ENOMEM), LocalFault::memory},
      {system(ENOBUFS), LocalFault::memory},
      {system(ENOSPC), LocalFault::space},
      {system(EDQUOT), LocalFault::space},
      {asio::error::no_memory, LocalFault::memory},  // getaddrinfo's EAI_MEMORY
      {asio::error::no_descriptors, LocalFault::descriptors},
      {errc::make_error_code(errc::too_many_files_open), LocalFault::descriptors},
      {LocalFault::threads, LocalFault::threads},
      {system(ECONNREFUSED), std::nullopt},
      {system(EAGAIN), std::nullopt},
      {system(EADDRNOTAVAIL), std::nullopt},  // also of a family that the machine does not have
      {asio::error::host_not_found, std::nullopt},
      // The same number in another category is another thing.
      {error_code(EMFILE, asio::error::get_misc_category()), std::nullopt},
      {error_code(99, local_category()), std::nullopt},
      {StopReason::shutdown, std::nullopt},
      {error_code(), std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.code.message());
    CHECK(local_fault_of(row.code) == row.fault);
  }
}

TEST_CASE("a local fault has a standard condition, a name, and a remedy") {
  const std::pair<LocalFault, errc::errc_t> all[] = {
      {LocalFault::descriptors, errc::too_many_files_open},
      {LocalFault::system_descriptors, errc::too_many_files_open_in_system},
      {LocalFault::memory, errc::not_enough_memory},
      {LocalFault::threads, errc::resource_unavailable_try_again},
      {LocalFault::space, errc::no_space_on_device},
  };
  for (const auto& [fault, standard] : all) {
    const error_code code = fault;
    CAPTURE(code.message());
    CHECK(code == standard);
    CHECK(code.message().find("out of ") != std::string::npos);
    CHECK_FALSE(remedy(fault).empty());
  }
}
