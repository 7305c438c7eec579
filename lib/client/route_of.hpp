/// Which route a request takes, by the model that it names.
///
/// Invariants
/// 1. A route of exactly that name comes first, then the first pattern in the file that matches (text/glob.hpp), else the
///    main route.
///
///     const auto& route = route_of(routes, main, "claude-haiku-4-5");
#pragma once

#include <string_view>
#include <vector>

#include "text/glob.hpp"

namespace understudy::detail {

/// `Route` has a member `model`. The result is one of the arguments.
template <class Route>
const Route& route_of(const std::vector<Route>& routes, const Route& main, std::string_view model) {
  const Route* by_pattern = nullptr;
  for (const auto& route : routes) {
    if (route.model == model) {
      return route;
    }
    if (by_pattern == nullptr && text::is_glob(route.model) &&
        text::matches_glob(route.model, model)) {
      by_pattern = &route;
    }
  }
  return by_pattern != nullptr ? *by_pattern : main;
}

}  // namespace understudy::detail
