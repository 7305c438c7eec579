#include "understudy/client/shared_client.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "understudy/client/detail/held_events.hpp"

namespace understudy {
namespace {

/// A shared object that is destroyed on an executor, whoever releases it last.
template <class T>
std::shared_ptr<T> owned_by(const asio::any_io_executor& executor, std::unique_ptr<T> object) {
  return std::shared_ptr<T>(object.release(), [executor](T* last) {
    asio::dispatch(executor, [owned = std::unique_ptr<T>(last)] {});
  });
}

/// What one visit to the client's executor brings.
struct Batch {
  std::unique_ptr<detail::HeldEvents> events = std::make_unique<detail::HeldEvents>();
  std::optional<Result<bool>> end;
  CallReport report;
};

asio::awaitable<Batch> fetch(std::shared_ptr<Delivery> answer) {
  Batch batch;
  const auto more = co_await answer->ready();  // const: see HttpStream::ready
  if (more.has_error() || !*more) {
    batch.report = answer->report();
    batch.end = more;
    co_return batch;
  }
  while (batch.events->bytes() <= SharedAnswer::most_bytes) {
    const auto* const event = answer->try_next();
    if (event == nullptr) {
      break;
    }
    batch.events->add(*event);
  }
  co_return batch;
}

}  // namespace

class SharedAnswer::Impl {
 public:
  Impl(asio::any_io_executor executor, std::shared_ptr<Delivery> answer)
      : executor_(std::move(executor)), answer_(std::move(answer)) {}

  asio::awaitable<Result<bool>> ready() {
    if (batch_.end) {
      co_return std::as_const(*batch_.end);
    }
    if (!batch_.events->empty()) {
      co_return true;
    }
    ++batches_;
    auto visit = [answer = answer_] { return fetch(answer); };
    batch_ = co_await initiate(executor_, std::move(visit), asio::use_awaitable);
    if (batch_.end) {
      co_return std::as_const(*batch_.end);
    }
    co_return true;
  }
  const llm::Event* try_next() noexcept { return batch_.events->next(); }
  const CallReport& report() const noexcept { return batch_.report; }
  std::uint64_t batches() const noexcept { return batches_; }

 private:
  asio::any_io_executor executor_;
  std::shared_ptr<Delivery> answer_;
  Batch batch_;
  std::uint64_t batches_ = 0;
};

SharedAnswer::SharedAnswer(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
SharedAnswer::SharedAnswer() noexcept = default;
SharedAnswer::SharedAnswer(SharedAnswer&&) noexcept = default;
SharedAnswer& SharedAnswer::operator=(SharedAnswer&&) noexcept = default;
SharedAnswer::~SharedAnswer() = default;

asio::awaitable<Result<bool>> SharedAnswer::ready() { return impl_->ready(); }
const llm::Event* SharedAnswer::try_next() noexcept { return impl_->try_next(); }

asio::awaitable<const llm::Event*> SharedAnswer::next() {
  if (const auto* const event = impl_->try_next()) {
    co_return event;
  }
  const auto more = co_await impl_->ready();
  if (more.has_error()) {
    throw FailoverError(more.error());
  }
  co_return *more ? impl_->try_next() : nullptr;
}

const CallReport& SharedAnswer::report() const noexcept { return impl_->report(); }
std::uint64_t SharedAnswer::batches() const noexcept { return impl_->batches(); }

SharedClient::SharedClient(const asio::any_io_executor& executor, const Config& config,
                           std::shared_ptr<ClientState> state, ClientOptions options)
    : client_(owned_by(executor, std::make_unique<Client>(executor, config, std::move(state),
                                                          std::move(options)))) {}
SharedClient::SharedClient(SharedClient&&) noexcept = default;
SharedClient& SharedClient::operator=(SharedClient&&) noexcept = default;
SharedClient::~SharedClient() = default;

asio::awaitable<Outcome<llm::Answer>> SharedClient::complete(llm::Request request,
                                                             RequestOptions options) {
  return async_complete(std::move(request), std::move(options), asio::use_awaitable);
}

asio::awaitable<SharedAnswer> SharedClient::stream(llm::Request request, RequestOptions options) {
  auto call = client_->async_stream(std::move(request), std::move(options), asio::use_awaitable);
  return opened(client_->get_executor(), std::move(call));
}

asio::awaitable<SharedAnswer> SharedClient::opened(asio::any_io_executor executor,
                                                   asio::awaitable<Delivery> call) {
  Delivery delivery = co_await std::move(call);
  auto answer = owned_by(executor, std::make_unique<Delivery>(std::move(delivery)));
  co_return SharedAnswer(std::make_unique<SharedAnswer::Impl>(executor, std::move(answer)));
}

asio::awaitable<void> SharedClient::close() { return async_close(asio::use_awaitable); }

}  // namespace understudy
