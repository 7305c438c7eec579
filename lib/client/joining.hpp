/// Resumes an answer that was cut, at the provider's side: what a member is asked, and its answer up to the place where
/// it joins what was delivered.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <span>
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

/// The ways in which one member is asked to resume an answer, the most promising first. `prefill`: it continues an
/// answer whose beginning is sent to it.
std::span<const ResumeManner> resume_manners(bool prefill);

/// The name under which a failure demands a manner, as a mend (Failure::with_mend).
std::string_view mend_name(ResumeManner manner) noexcept;

/// The request, as it asks a member to resume `text` in this manner. What is added to it comes after the client's own
/// messages.
llm::Request resuming(const llm::Request& request, std::string_view text, ResumeManner manner);

/// Reads an answer up to the place where it joins what was delivered, and keeps what comes after that.
class Joining {
 public:
  Joining(const Recovery& recovery, ResumeManner manner)
      : seam_(recovery.text(), manner), after_call_(recovery.cut_in_call()) {}

  /// Completes when it has joined. Errors: the stream's, or it says something else. Cancellation: as Stream::ready.
  asio::awaitable<Result<void>> read(Committed& answer);

  /// In bytes: the part of the new text that repeated what was delivered.
  std::size_t repeated() const noexcept { return seam_.dropped(); }

 private:
  bool joined() const noexcept { return !refused_ && (seam_.joined() || called_); }
  void take(const llm::Event& event, HeldEvents& held);
  void say(std::string_view text, HeldEvents& held) const;

  Seam seam_;
  bool after_call_;      // what was cut was a tool call: it may come at once, before any other word
  bool called_ = false;  // and did
  bool said_ = false;    // text that is not blank
  bool refused_ = false;
  std::size_t block_ = 0;
};

}  // namespace understudy::detail
