// What every test includes anyway; parsing it once saves most of the build.
#include <doctest/doctest.h>

#include <boost/asio.hpp>
