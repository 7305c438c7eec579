/// A cell of the matrix: a request of an agent, fitted to a back end, and judged by that back end's strict double, which
/// shares no knowledge with the library (testing/strict_backend.hpp).
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "agent_requests.hpp"
#include "understudy/llm/codec.hpp"
#include "understudy/llm/fit.hpp"
#include "understudy/testing/strict_backend.hpp"

namespace matrix_cell {

using namespace understudy;
using namespace understudy::llm;
using agent_requests::AgentRequest;
using testing::StrictBackend;
using testing::StrictBackends;
using testing::Strictness;

/// The catalog's back end of a double, whose models may differ.
inline const BackEnd& back_end_of(const StrictBackend& strict) {
  const auto id = strict.id() == "anthropic-4-5" ? "anthropic" : strict.id();
  const auto protocol = protocol_from(strict.protocol());
  REQUIRE(protocol);
  const auto* const found = Catalog::built_in().back_end(id, *protocol);
  REQUIRE(found != nullptr);
  return *found;
}

inline FitTarget target_of(const StrictBackend& strict, const AgentRequest& request,
                           const BackEnd& back_end) {
  FitTarget target(back_end.protocol, back_end.id, std::string(strict.default_model()));
  target.back_end = &back_end;
  if (back_end.protocol == Protocol::anthropic_messages) {
    target.betas = request.betas;
  }
  return target;
}

inline HttpFields headers_of(const FitTarget& target, const Fitted& fitted) {
  HttpFields headers;
  headers.add("content-type", "application/json");
  if (target.protocol == Protocol::anthropic_messages) {
    headers.add("anthropic-version", "2023-06-01");
  }
  if (!fitted.betas.empty()) {
    headers.add("anthropic-beta", fitted.betas);
  }
  headers.add("chatgpt-account-id", "account-1");
  return headers;
}

/// What the double says about a fitted request.
inline testing::Verdict judged(const StrictBackend& strict, const FitTarget& target,
                               const Fitted& fitted,
                               Strictness strictness = Strictness::documented) {
  return strict.examine(headers_of(target, fitted), fitted.body, strictness,
                        "/" + target.model + ":streamRawPredict");
}

/// The texts of the request are marked "[m7]": each must arrive, or something must be named that went with it.
inline std::set<std::string> markers_of(std::string_view body) {
  std::set<std::string> markers;
  for (auto at = body.find('['); at != std::string_view::npos; at = body.find('[', at + 1)) {
    const auto end = body.find(']', at);
    const auto inside = body.substr(at + 1, std::min(end, body.size()) - at - 1);
    if (inside.size() > 1 && inside.size() < 6 && inside[0] >= 'a' && inside[0] <= 'z' &&
        std::all_of(inside.begin() + 1, inside.end(),
                    [](char c) { return c >= '0' && c <= '9'; })) {
      markers.emplace(body.substr(at, end - at + 1));
    }
  }
  return markers;
}

/// The markers that are gone, and no loss could be it.
inline std::vector<std::string> unnamed_losses(const AgentRequest& asked, const Fitted& fitted) {
  const bool named = std::any_of(fitted.losses.begin(), fitted.losses.end(), [](const Loss& l) {
    const auto what = about(l);
    return what == "content" || what == "reasoning" || what == "tool" || what == "message";
  });
  std::vector<std::string> unnamed;
  for (const auto& marker : markers_of(asked.body)) {
    if (!named && fitted.body.find(marker) == std::string::npos) {
      unnamed.push_back(marker);
    }
  }
  return unnamed;
}

/// The request with the sealed reasoning of earlier turns as this back end issued it.
inline std::string with_own_seals(std::string body, const StrictBackend& strict) {
  constexpr std::string_view own = "@@own";
  const auto seal = strict.seal(strict.default_model());
  for (auto at = body.find(own); at != std::string::npos; at = body.find(own, at + seal.size())) {
    body.replace(at, own.size(), seal);
  }
  return body;
}

/// Fits a request that reads as one of its protocol.
inline Fitted fitted_to(const AgentRequest& asked, const StrictBackend& strict,
                        const FitTarget& target) {
  auto read = codec_for(asked.protocol).read_request(with_own_seals(asked.body, strict));
  REQUIRE_MESSAGE(read.has_value(), asked.name);
  read->betas = asked.betas;
  return fit(*read, target);
}

}  // namespace matrix_cell
