// The gateway beside nginx and beside nobody: the same upstream, the same load, in turn, in one run. Proxies
// have a core of their own, and one thread; their CPU time is the kernel's account of their process.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "../harness.hpp"
#include "load.hpp"
#include "message.hpp"
#include "proxies.hpp"
#include "upstream.hpp"

namespace {

using namespace std::chrono_literals;
using namespace bench;

constexpr int rounds = 7;
constexpr auto small_for = 700ms;
constexpr std::size_t small_connections = 16;
constexpr std::size_t stream_count = 200;
constexpr std::size_t idle_count = 2000;
constexpr auto idle_for = 2s;

/// By the row's name: a figure a round.
using Measured = std::map<std::string, Sample>;

class TemporaryFolder {
 public:
  TemporaryFolder() : path((std::filesystem::temp_directory_path() / "bench_gateway.XXXXXX")) {
    must(::mkdtemp(path.data()) != nullptr, path.c_str());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path;
};

/// What `work` costs the side's process, in ns. Nobody's costs nothing.
double cpu_of(const Side& side, const std::function<void()>& work) {
  const auto before = side.pid != 0 ? cpu_ns(side.pid) : 0;
  work();
  return side.pid != 0 ? cpu_ns(side.pid) - before : 0;
}

void measure_small(const Side& side, Measured& figures) {
  SmallRequests alone;
  // Here nobody is busy: who is sent something has to be woken, which the sender pays for.
  const auto cpu_alone = cpu_of(side, [&] { alone = ask_small(side.port, 1, small_for); });
  figures["alone cpu"].push_back(cpu_alone / 1e3 / static_cast<double>(alone.took.size()));
  figures["alone p50"].push_back(percentile(alone.took, 0.5));
  figures["alone p99"].push_back(percentile(alone.took, 0.99));
  SmallRequests small;
  const auto cpu =
      cpu_of(side, [&] { small = ask_small(side.port, small_connections, small_for); });
  const auto count = static_cast<double>(small.took.size());
  figures["small cpu"].push_back(cpu / 1e3 / count);
  figures["small rate"].push_back(count / small.seconds);
  figures["small p50"].push_back(percentile(small.took, 0.5));
  figures["small p99"].push_back(percentile(small.took, 0.99));
}

void measure_streams(const Side& side, Measured& figures) {
  if (side.pid != 0) {
    forget_peak(side.pid);
  }
  Streams seen;
  const auto cpu = cpu_of(side, [&] { seen = ask_streams(side.port, stream_count); });
  figures["first p50"].push_back(percentile(seen.first, 0.5));
  figures["first p99"].push_back(percentile(seen.first, 0.99));
  figures["token p50"].push_back(percentile(seen.token, 0.5));
  figures["token p99"].push_back(percentile(seen.token, 0.99));
  figures["token cpu"].push_back(cpu / 1e3 / static_cast<double>(seen.token.size()));
  if (side.pid != 0) {
    figures["peak"].push_back(peak(side.pid));
  }
}

void measure_idle(const Side& side, Measured& figures) {
  const auto before = side.pid != 0 ? resident(side.pid) : 0;
  const IdleStreams streams(side.port, idle_count);
  const auto cpu = cpu_of(side, [] { std::this_thread::sleep_for(idle_for); });
  if (side.pid != 0) {
    const auto now = resident(side.pid);
    figures["idle rss"].push_back(now);
    figures["idle each"].push_back((now - before) * 1024 / static_cast<double>(idle_count));
    figures["idle cpu"].push_back(cpu / 1e6 / std::chrono::duration<double>(idle_for).count());
  }
}

class Table {
 public:
  explicit Table(const std::vector<Side>& sides) : sides_(sides), figures_(sides.size()) {}

  Measured& of(std::size_t side) { return figures_[side]; }

  void head() const {
    std::printf("  %-50s", "");
    for (const auto& side : sides_) {
      std::printf(" %10s", side.name.c_str());
    }
    std::printf("  understudy:nginx\n");
  }

  void row(const char* title, const std::string& name) {
    std::printf("  %-50s", title);
    for (std::size_t i = 0; i < sides_.size(); ++i) {
      figures_[i].count(name) != 0 && (sides_[i].pid != 0 || median(i, name) > 0)
          ? std::printf(" %10.2f", median(i, name))
          : std::printf(" %10s", "-");
    }
    const auto ratio = of_nginx(name);
    ratio > 0 ? std::printf("  %8.2fx\n", ratio) : std::printf("\n");
  }

  /// A row of what is on top of no proxy.
  void added(const char* title, const std::string& name) {
    for (std::size_t i = 0; i < sides_.size(); ++i) {
      if (sides_[i].pid != 0) {
        figures_[i][name + " added"] = {median(i, name) - median(0, name)};
      }
    }
    row(title, name + " added");
  }

  double understudys(const std::string& name) { return by("understudy", name); }

  /// Understudy's share of nginx's figure; 0 where one is missing.
  double of_nginx(const std::string& name) {
    const auto nginx = by("nginx", name);
    return nginx > 0 ? understudys(name) / nginx : 0;
  }

 private:
  double median(std::size_t side, const std::string& name) {
    return percentile(figures_[side][name], 0.5);
  }

  double by(const std::string& side, const std::string& name) {
    for (std::size_t i = 0; i < sides_.size(); ++i) {
      if (sides_[i].name == side) {
        return median(i, name);
      }
    }
    return 0;
  }

  const std::vector<Side>& sides_;
  std::vector<Measured> figures_;
};

void print_small(Table& table) {
  std::printf("\nsmall requests, not streamed, one after the other\n");
  table.head();
  table.row("median, us", "alone p50");
  table.row("p99, us", "alone p99");
  table.row("the proxy's CPU a request, us", "alone cpu");
  table.added("median, us on top of no proxy", "alone p50");
  table.added("p99, us on top of no proxy", "alone p99");
  std::printf("\nsmall requests, %zu connections\n", small_connections);
  table.head();
  table.row("the proxy's CPU a request, us", "small cpu");
  table.row("requests a second", "small rate");
  table.row("median, us", "small p50");
  table.row("p99, us", "small p99");
}

void print_streams(Table& table) {
  std::printf("\n%zu streams of %d tokens, 5 ms apart\n", stream_count, stream_tokens);
  table.head();
  table.row("first token, median, ms", "first p50");
  table.row("first token, p99, ms", "first p99");
  table.row("a token, from write to read, median, ms", "token p50");
  table.row("a token, from write to read, p99, ms", "token p99");
  table.row("the proxy's CPU a token, us", "token cpu");
  table.row("peak of resident memory, MiB", "peak");
}

void print_idle(Table& table) {
  std::printf("\n%zu idle streams\n", idle_count);
  table.head();
  table.row("resident memory, MiB", "idle rss");
  table.row("of which each stream, KiB", "idle each");
  table.row("the proxy's CPU a second, ms", "idle cpu");
}

bool goals(Table& table) {
  std::printf("\n");
  bool all = true;
  const auto of_nginx = [&](const char* what, const char* name, double at_most) {
    if (table.of_nginx(name) > 0) {
      all &= reach(what, table.of_nginx(name), at_most, "x");
    }
  };
  of_nginx("CPU a small request, of nginx's", "small cpu", 2);
  of_nginx("CPU a token at 200 streams, of nginx's", "token cpu", 1.2);
  of_nginx("a token's latency p99, of nginx's", "token p99", 1.5);
  if (table.understudys("peak") > 0) {
    all &= reach("peak of resident memory at 200 streams", table.understudys("peak"), 40, "MiB");
  }
  return all;
}

}  // namespace

/// `bench_gateway [small|streams|idle] [PROGRAM]`: one part, or all, of the program that was built beside it or
/// is named.
int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::string only;
  if (!arguments.empty() && arguments[0].find('/') == std::string::npos) {
    only = arguments[0];
    arguments.erase(arguments.begin());
  }
  const auto wanted = [&](std::string_view part) { return only.empty() || only == part; };
  raise_descriptor_limit();
  const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const auto program = arguments.empty()
                           ? (here / "../tools/understudy/understudy").lexically_normal().string()
                           : arguments[0];
  const TemporaryFolder folder;
  const Cores cores;
  cores.use_others();
  if (cores.shared()) {
    std::printf("One core for all: the latencies are those of a crowd.\n");
  }
  const auto upstream_port = free_port();
  const Process upstream([&] { serve_upstream(upstream_port); }, "");
  await_listener(upstream_port, "");

  std::vector<Side> sides;
  sides.push_back({"none", upstream_port, nullptr, 0});
  if (auto nginx = start_nginx(cores, folder.path, upstream_port)) {
    sides.push_back(std::move(*nginx));
  } else {
    std::printf("No nginx here (./dev setup bench installs it): nothing to compare with.\n");
  }
  if (auto ours = start_understudy(cores, folder.path, upstream_port, program)) {
    sides.push_back(std::move(*ours));
  } else {
    std::printf("No program at %s.\n", program.c_str());
  }

  Table table(sides);
  for (int round = 0; round <= rounds; ++round) {
    for (std::size_t i = 0; i < sides.size(); ++i) {
      Measured warming;
      auto& figures = round == 0 ? warming : table.of(i);
      if (wanted("small")) {
        measure_small(sides[i], figures);
      }
      if (wanted("streams")) {
        measure_streams(sides[i], figures);
      }
    }
  }
  if (wanted("small")) {
    print_small(table);
  }
  if (wanted("streams")) {
    print_streams(table);
  }
  if (wanted("idle")) {
    for (std::size_t i = 0; i < sides.size(); ++i) {
      measure_idle(sides[i], table.of(i));
    }
    print_idle(table);
  }
  std::printf("\n%s\n",
              goals(table) ? "every number was reached" : "some numbers were missed, see above");
}
