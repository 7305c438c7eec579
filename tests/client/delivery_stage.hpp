/// A chain whose answers go through a Delivery, and ways in which they break.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "../llm/provider_faults.hpp"
#include "understudy/client/delivery.hpp"

namespace delivery_test {

using namespace provider_test;

/// A consumer that asks twice whether there is something.
class Impatient {
 public:
  explicit Impatient(Delivery& delivery) : delivery_(delivery) {}

  awaitable<Result<bool>> ready() {
    const auto first = co_await delivery_.ready();
    const auto again = co_await delivery_.ready();
    CHECK(first.has_error() == again.has_error());
    if (again.has_error()) {
      co_return again.error();
    }
    co_return *again;
  }
  const Event* try_next() { return delivery_.try_next(); }

 private:
  Delivery& delivery_;
};

/// A chain whose answers go through a Delivery.
class Stage : public World {
 public:
  using World::World;

  DeliverySettings settings;
  bool can_retract = false;
  bool impatient = false;  // the consumer asks `ready` twice, each time
  Observer* observer = nullptr;
  std::function<bool(const Member&)> takes_prefill;

 protected:
  awaitable<Told> call(const Request& request) override {
    Told told;
    const auto began = Clock::now();
    auto open = [this](const Request& asked, Attempt& attempt) {
      return provider_of(attempt.member()).open(asked, attempt);
    };
    DeliveryPlan plan(chain, policy, settings, state, std::make_shared<const Request>(request),
                      std::move(open));
    plan.can_retract = can_retract;
    plan.observer = observer;
    plan.takes_prefill = takes_prefill;
    auto delivery = co_await deliver(std::move(plan));
    told.began_after = Clock::now() - began;
    if (impatient) {
      Impatient twice(delivery);
      told.answer = co_await read(twice, told);
    } else {
      told.answer = co_await read(delivery, told);
    }
    told.report = delivery.report();
    told.took = Clock::now() - began;
    co_return told;
  }
};

/// Ways to break after five events: the start and four words.
inline const std::vector<std::pair<Fault, R>>& breaks() {
  static const std::vector<std::pair<Fault, R>> all{
      {Fault::silence(), R::timeout},
      {Fault::silence(100ms), R::timeout},
      {Fault::reset(), R::connection},
      {Fault::close(), R::connection},
      {Fault::truncated_chunk(), R::connection},
      {Fault::end(), R::malformed_response},
      {Fault::error("overloaded_error", "Overloaded"), R::overloaded},
  };
  return all;
}

/// A reset takes with it what was not read yet: so that comes at its leisure.
inline Reply broken(const Fault& fault, Clock::duration gap = 10ms) {
  return Reply::answer().dripping(gap).after(5, fault);
}

}  // namespace delivery_test
