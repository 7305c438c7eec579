#include "understudy/failover/member.hpp"

#include <functional>
#include <utility>

namespace understudy {

Member::Member(std::string provider, std::string model) : data_(std::make_shared<Data>()) {
  data_->provider = std::move(provider);
  data_->model = std::move(model);
  rename();
}

Member& Member::with_base_url(std::string url) {
  change().base_url = std::move(url);
  rename();
  return *this;
}
Member& Member::with_purpose(std::string purpose) {
  change().purpose = std::move(purpose);
  rename();
  return *this;
}
Member& Member::with_credentials(std::shared_ptr<CredentialPool> pool) {
  change().pool = std::move(pool);
  return *this;
}
Member& Member::with_context_window(std::uint64_t tokens) {
  change().context_window = tokens;
  return *this;
}
Member& Member::with_stall(const StallSettings& settings) {
  change().stall = settings;
  return *this;
}
Member& Member::with_reasoning_floor(Clock::duration floor) {
  change().reasoning_floor = floor;
  return *this;
}
Member& Member::with_backoff(const BackoffSettings& settings) {
  change().backoff = settings;
  return *this;
}
Member& Member::with_budget(const BudgetSettings& settings) {
  change().budget = settings;
  return *this;
}

Member& Member::with_asked_model(std::string model) {
  asked_model_ = std::make_shared<const std::string>(std::move(model));
  return *this;
}
Member& Member::with_credential_first(std::size_t index) {
  credential_first_ = index;
  return *this;
}
Member& Member::with_mends(std::shared_ptr<const MemberMends> known) {
  mends_ = std::move(known);
  return *this;
}

bool Member::same_as(const Member& other) const noexcept {
  return key() == other.key() && credentials() == other.credentials();
}

Member::Data& Member::change() {
  if (data_.use_count() > 1) {
    data_ = std::make_shared<Data>(*data_);
  }
  return *data_;
}

void Member::rename() {
  data_->name = data_->provider + '/' + data_->model;
  data_->key = data_->model + '@' + endpoint();
  if (!data_->purpose.empty()) {
    data_->key += " for " + data_->purpose;
  }
  data_->key_hash = std::hash<std::string>()(data_->key);
}

}  // namespace understudy
