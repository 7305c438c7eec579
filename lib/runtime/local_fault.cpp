#include "understudy/runtime/local_fault.hpp"

#include <array>
#include <boost/system/errc.hpp>
#include <boost/system/error_category.hpp>
#include <cerrno>

namespace understudy {
namespace {

namespace errc = boost::system::errc;

struct Row {
  LocalFault fault;
  errc::errc_t standard;
  std::string_view name;
  std::string_view remedy;
};

constexpr std::array rows{
    Row{LocalFault::descriptors, errc::too_many_files_open, "out of descriptors",
        "raise the limit on open files of this process (`ulimit -n`; `LimitNOFILE=` in a systemd "
        "unit)"},
    Row{LocalFault::system_descriptors, errc::too_many_files_open_in_system,
        "out of descriptors on the whole machine",
        "raise the limit on open files of the machine (`sysctl fs.file-max`)"},
    Row{LocalFault::memory, errc::not_enough_memory, "out of memory",
        "give this process more memory (`MemoryMax=` in a systemd unit, a container's limit)"},
    Row{LocalFault::threads, errc::resource_unavailable_try_again, "out of threads",
        "raise the limit on threads (`ulimit -u`; `TasksMax=` in a systemd unit)"},
    Row{LocalFault::space, errc::no_space_on_device, "out of space",
        "free space on the disk, or raise `sysctl fs.epoll.max_user_watches`"},
};

struct SystemError {
  int number;
  LocalFault fault;
};

constexpr std::array system_errors{
    SystemError{EMFILE, LocalFault::descriptors},
    SystemError{ENFILE, LocalFault::system_descriptors},
    SystemError{ENOMEM, LocalFault::memory},
    SystemError{ENOBUFS, LocalFault::memory},
    SystemError{ENOSPC, LocalFault::space},
    SystemError{EDQUOT, LocalFault::space},
};

const Row* row_of(int value) noexcept {
  return value >= 1 && value <= static_cast<int>(rows.size())
             ? &rows[static_cast<std::size_t>(value) - 1]
             : nullptr;
}

class LocalCategory final : public boost::system::error_category {
 public:
  // The id makes copies of the category in two shared libraries equal.
  constexpr LocalCategory() noexcept : error_category(0x5d1f6b2a9c3e4704ULL) {}

  const char* name() const noexcept override { return "understudy.local"; }

  std::string message(int value) const override {
    const auto* row = row_of(value);
    return row != nullptr ? std::string(row->name) : "unknown local fault";
  }

  boost::system::error_condition default_error_condition(int value) const noexcept override {
    const auto* row = row_of(value);
    return row != nullptr ? errc::make_error_condition(row->standard)
                          : boost::system::error_condition(value, *this);
  }
};

}  // namespace

std::optional<LocalFault> local_fault_of(const boost::system::error_code& code) noexcept {
  if (code.category() == local_category()) {
    const auto* row = row_of(code.value());
    return row != nullptr ? std::optional(row->fault) : std::nullopt;
  }
  if (code.category() == boost::system::system_category() ||
      code.category() == boost::system::generic_category()) {
    for (const auto& [number, fault] : system_errors) {
      if (code.value() == number) {
        return fault;
      }
    }
  }
  return std::nullopt;
}

std::string_view remedy(LocalFault fault) noexcept {
  const auto* row = row_of(static_cast<int>(fault));
  return row != nullptr ? row->remedy : std::string_view();
}

const boost::system::error_category& local_category() noexcept {
  static const LocalCategory category;
  return category;
}

}  // namespace understudy
