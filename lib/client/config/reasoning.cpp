#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

using ReasoningKey = Key<ReasoningConfig>;
using Carry = ReasoningConfig::Carry;

}  // namespace

const KeyTable<ReasoningConfig>& reasoning_keys() {
  static const KeyTable<ReasoningConfig> keys(
      SectionRow("reasoning", "The reasoning of one maker in the session of another's client.")
          .with_header("[reasoning]"),
      {
          ReasoningKey("carry", Choice<Carry>({{"client", Carry::client}, {"off", Carry::off}}),
                       &ReasoningConfig::carry,
                       "Where sealed reasoning of other makers is kept until their next turn: "
                       "`\"client\"` in the conversation itself, in fields that the client sends "
                       "back unread; `\"off\"` nowhere, and the client does not see it, so that it "
                       "can go on without the gateway at any time."),
      });
  return keys;
}

}  // namespace understudy::config
