/// Going on with an answer that was cut, at the wire's end: what another member is asked, and its answer up to the
/// place where it joins what was delivered.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "understudy/client/detail/held_events.hpp"
#include "understudy/client/recovery.hpp"
#include "understudy/client/seam.hpp"
#include "understudy/llm/request.hpp"
#include "understudy/llm/stream.hpp"

namespace understudy::detail {

/// An answer at its commit point, or its seam.
class Committed {
 public:
  explicit Committed(llm::Stream s) : stream(std::move(s)) {}

  llm::Stream stream;
  HeldEvents held;
  bool complete = false;  // nothing comes any more
};

/// What another member is asked, so that it goes on with `text`.
llm::Request going_on(const llm::Request& request, std::string_view text, bool prefilled);

/// Reads an answer up to the place where it joins what was delivered, and keeps what comes after that.
class Joining {
 public:
  Joining(const Recovery& recovery, ResumeManner manner)
      : seam_(recovery.text(), manner), after_call_(recovery.cut_in_call()) {}

  /// Completes when it has joined. Errors: the stream's, or it says something else. Cancellation: as Stream::ready.
  asio::awaitable<Result<void>> read(Committed& answer);

 private:
  bool joined() const noexcept { return seam_.joined() || called_; }
  void take(const llm::Event& event, HeldEvents& held);
  void say(std::string_view text, HeldEvents& held) const;

  Seam seam_;
  bool after_call_;      // what was cut was a tool call: it may come at once, before any other word
  bool called_ = false;  // and did
  std::size_t block_ = 0;
};

}  // namespace understudy::detail
