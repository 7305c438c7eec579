#include <utility>

#include "plans.hpp"

namespace understudy::tool {
namespace {

using Keys = GatewayFacts::Keys;

}  // namespace

SourceResult<Plan> cline_plan(const GatewayFacts& gateway) {
  const auto* const first = gateway.first_model();
  const auto model = first == nullptr ? std::string("MODEL") : first->name;
  Plan plan;
  const bool needed = gateway.keys == Keys::needed;
  const auto key = needed ? "\"$" + std::string(key_variable) + "\"" : std::string(placeholder);
  plan.edits =
      ByHand{"cline auth -p openai -b " + gateway.url + "/v1 -m '" + model + "' -k " + key + "\n"};
  if (needed) {
    plan.notes.push_back("The shell needs " + std::string(key_variable) +
                         ", one of `server.keys` of the gateway.");
  } else if (gateway.keys == Keys::unknown) {
    plan.notes.emplace_back("If the gateway has `server.keys`, write one of them after -k.");
  }
  plan.notes.emplace_back("Cline keeps its sign-ins in files that only it should write.");
  return plan;
}

SourceResult<Plan> hermes_plan(const GatewayFacts& gateway) {
  const auto* const first = gateway.first_model();
  Plan plan;
  std::string text = "hermes model    # choose \"Custom endpoint\", and answer:\n";
  text += "  base URL:  " + gateway.url + "/v1\n";
  text.append("  API key:   ")
      .append(gateway.keys == Keys::none ? placeholder : "one of server.keys of the gateway")
      .append("\n");
  text += "  model:     " + (first == nullptr ? std::string("MODEL") : first->name) + "\n";
  if (first != nullptr && first->window.tokens) {
    text += "  context length: " + std::to_string(*first->window.tokens) + "\n";
  }
  plan.edits = ByHand{std::move(text)};
  plan.notes.emplace_back("Hermes keeps its settings in YAML, which this program does not edit.");
  return plan;
}

}  // namespace understudy::tool
