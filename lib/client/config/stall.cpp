#include "client/config/sections.hpp"

namespace understudy::config {
namespace {

using StallKey = Key<StallDraft>;
using StallSetting = std::optional<Clock::duration> StallSettings::*;

/// A limit that does not depend on the call.
StallKey fixed(std::string_view name, StallSetting setting, const Limit& standard,
               std::string documentation) {
  auto read = [=](const Section& section, StallDraft& draft) {
    if (section.says(name, "auto")) {
      section.wrong(name, ticked(name) + " cannot be \"auto\"");
    } else if (const auto duration = section.duration(name)) {
      draft.settings.*setting = duration;
    }
  };
  return StallKey(name, {"duration", std::move(read)}, std::move(documentation))
      .default_value(in_quotes(duration_text(standard.after)));
}

/// A limit that follows the call unless it is written.
StallKey automatic(std::string_view name, StallSetting setting, std::string example,
                   std::string documentation) {
  auto read = [=](const Section& section, StallDraft& draft) {
    if (!section.says(name, "auto")) {
      if (const auto duration = section.duration(name)) {
        draft.settings.*setting = duration;
      }
    } else if (draft.beneath.*setting) {
      section.wrong(name, "\"auto\" does not override the " + ticked(name) + " of an outer section",
                    "write a duration, or remove " + ticked(name) + " there");
    } else {
      (draft.settings.*setting).reset();
    }
  };
  return StallKey(name, {"duration or `\"auto\"`", std::move(read)}, std::move(documentation))
      .default_value(in_quotes("auto"))
      .example(std::move(example));
}

}  // namespace

const KeyTable<StallDraft>& stall_keys() {
  static const auto standard = stall_limits(StallSettings(), StallFacts(), StallCodes({}, {}));
  static const KeyTable<StallDraft> keys(
      SectionRow(
          "stall",
          "How long each phase of an attempt may last. A duration is taken as it is written; "
          "`\"auto\"` follows the size of the prompt, the model and the heartbeats.")
          .with_header("[stall]"),
      {
          fixed("connect", &StallSettings::connect, standard.connect,
                "To resolve the name, to connect, and for the handshakes of TLS and of a proxy."),
          fixed("write", &StallSettings::write, standard.write,
                "While the request is written: how long the provider may accept no byte."),
          automatic("first_progress", &StallSettings::first_progress, R"("60s")",
                    "Until the first token; heartbeats do not count. `\"auto\"`: as `stale`."),
          automatic(
              "stale", &StallSettings::stale, R"("180s")",
              "Between tokens; heartbeats do not count. `\"auto\"`: " +
                  duration_text(standard.stale.after) +
                  ", more for long prompts and for models that think for a long time.\n"
                  "The environment variable UNDERSTUDY_STREAM_STALE_TIMEOUT (or "
                  "HERMES_STREAM_STALE_TIMEOUT), in seconds, replaces this key, but not that of a "
                  "route, a provider or a model."),
          automatic("silence", &StallSettings::silence, R"("90s")",
                    "How long no byte of any kind may come. `\"auto\"`: learned from the "
                    "heartbeats of the stream."),
          fixed("whole_answer", &StallSettings::whole_answer, standard.whole_answer,
                "Until the answer is complete, where the provider does not stream it."),
          fixed(
              "finish", &StallSettings::finish, standard.finish,
              "How long an answer whose finish was reported waits for the end of its stream. More "
              "of the answer takes the finish back."),
          fixed("last_member", &StallSettings::last_member, standard.last_member,
                "Limits on progress become this one where no other member can take over."),
      });
  return keys;
}

void read_stall(const Section& section, StallSettings& settings, const StallSettings& beneath) {
  StallDraft draft{settings, beneath};
  stall_keys().read(section, draft);
  section.finish();
  settings = draft.settings;
}

}  // namespace understudy::config
