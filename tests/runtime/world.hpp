/// What the tests of this folder run their coroutines in: one executor, in virtual time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <utility>

#include "understudy/testing/virtual_time.hpp"

namespace runtime_test {

struct World {
  understudy::testing::VirtualTime time;
  boost::asio::io_context context;

  template <class T>
  T run(boost::asio::awaitable<T> coroutine) {
    return time.run(context, std::move(coroutine));
  }
};

}  // namespace runtime_test
