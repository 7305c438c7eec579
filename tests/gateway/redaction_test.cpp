#include "../../lib/failover/redaction.hpp"

#include "../failover/written_forms.hpp"
#include "gateway_world.hpp"

using namespace gateway_test;

namespace {

/// Everything of a call that a log gets.
class WholeLog final : public understudy::gateway::Log {
 public:
  void call_ended(const understudy::gateway::CallRecord& call) override {
    heard += call.report.to_json() + "\n" + call.report.why() + "\n";
  }
  void warning(std::string_view text) override { heard.append(text).append("\n"); }

  std::string heard;
};

/// A way in which a provider says something, with status 401 where it has one.
struct Carrier {
  const char* what;
  Reply (*saying)(const std::string& words);
};

const std::vector<Carrier>& carriers() {
  static const std::vector<Carrier> all{
      {"an error in JSON",
       [](const std::string& words) { return Reply::status(401, words, "authentication_error"); }},
      {"a sentence",
       [](const std::string& words) { return Reply::page(401, "text/plain", words); }},
      {"a page",
       [](const std::string& words) {
         return Reply::page(401, "text/html", "<html><body><p>" + words + "</p></body></html>");
       }},
      {"a page with status 200",
       [](const std::string& words) { return Reply::page(200, "text/plain", words); }},
      {"an error in the stream",
       [](const std::string& words) {
         return Reply::answer().after(3, Fault::error("overloaded_error", words));
       }},
      {"words of which the form is cut off",
       [](const std::string& words) {
         return Reply::status(400, std::string(Failure::longest_message - 30, 'x') + words);
       }},
  };
  return all;
}

/// Whether so much of a form is there that the key can be told from it.
bool leaks(std::string_view text, const written_forms::Form& form) {
  const auto key = form.text.substr(form.leading, form.text.size() - form.leading - form.behind);
  const auto beginning = key.substr(0, key.size() / 3);
  const auto middle = key.substr(key.size() / 4, key.size() / 3);
  return text.find(beginning) != std::string_view::npos ||
         text.find(middle) != std::string_view::npos;
}

}  // namespace

TEST_CASE(
    "a key that a provider repeats reaches no log, report, status, header or error, in no form") {
  const std::string key = "sk-ant-api03-AbC/dEf+GhI_jKl-mNo9pQr8sTu7vWx6yZ";
  const auto forms = written_forms::all(key);
  std::size_t told = 0;
  for (const auto& carrier : carriers()) {
    for (std::size_t i = 0; i < forms.size(); ++i) {
      const auto& form = forms[i];
      const auto& path = paths()[i % paths().size()];
      CAPTURE(std::string(carrier.what));
      CAPTURE(form.what);
      GatewayWorld world;
      world.variables["ANTHROPIC_API_KEY"] = key;
      world.variables["OPENAI_API_KEY"] = key;
      const auto words = "no such key: " + form.text + " (see the manual)";
      world.add().reply(carrier.saying(words));
      world.add().reply(carrier.saying(words));
      const auto log = std::make_shared<WholeLog>();
      world.records = std::make_shared<Records>(RecordsOptions().with_log(log));
      world.serve(world.config(report_file + "[server]\nreport = true\n"),
                  [&](HttpClient& http) -> awaitable<void> {
                    const auto got = co_await post(http, path);
                    auto seen = got.body;
                    for (std::size_t field = 0; field < got.headers.size(); ++field) {
                      seen.append(got.headers[field].second).append("\n");
                    }
                    const auto status = co_await get(http, "/status");
                    CHECK_FALSE(leaks(seen, form));
                    CHECK_FALSE(leaks(status.body, form));
                    told += got.has("[cre") ? 1 : 0;
                  });
      CHECK_FALSE(leaks(log->heard, form));
      CHECK(log->heard.find("[cre") != std::string::npos);
    }
  }
  CHECK(told > forms.size());
}
