#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>

#include "understudy/runtime/live_children.hpp"

namespace {

/// Law 1 for every test: nothing runs on after its scope, so nothing is alive after a test.
class NothingRunsOn : public doctest::IReporter {
 public:
  explicit NothingRunsOn(const doctest::ContextOptions&) {}

  void test_case_end(const doctest::CurrentTestCaseStats&) override {
    if (const auto alive = understudy::live_children(); alive.value_or(0) != 0) {
      // doctest's own output is buffered, and a listener cannot fail a test that has ended.
      std::cerr << "children alive after \"" << name_ << "\": " << *alive << std::endl;
      std::abort();
    }
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData& test) override { name_ = test.m_name; }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

 private:
  const char* name_ = "";
};

REGISTER_LISTENER("nothing_runs_on", 1, NothingRunsOn);

}  // namespace
