#include "proxies.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace bench {
namespace {

namespace fs = std::filesystem;

/// Where PATH, or a system's own folders, have that program.
std::string found(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    auto file = folder + "/" + name;
    if (!folder.empty() && fs::exists(file)) {
      return file;
    }
  }
  return {};
}

std::string nginx_configuration(const std::string& folder, std::uint16_t port,
                                std::uint16_t upstream) {
  std::ostringstream text;
  text << "daemon off;\n"
          "worker_processes 1;\n"
          "pid "
       << folder
       << "/nginx.pid;\n"
          "error_log "
       << folder
       << "/nginx.log;\n"
          "events { worker_connections 20000; }\n"
          "http {\n"
          "  access_log off;\n";
  for (const auto* const kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text << "  " << kind << "_temp_path " << folder << "/" << kind << ";\n";
  }
  text << "  keepalive_requests 1000000000;\n"
          "  upstream provider {\n"
          "    server 127.0.0.1:"
       << upstream
       << ";\n"
          "    keepalive 1000;\n"
          "    keepalive_requests 1000000000;\n"
          "  }\n"
          "  server {\n"
          "    listen 127.0.0.1:"
       << port
       << ";\n"
          "    location / {\n"
          "      proxy_pass http://provider;\n"
          "      proxy_http_version 1.1;\n"
          "      proxy_set_header Connection \"\";\n"
          "      proxy_buffering off;\n"
          "      proxy_read_timeout 600s;\n"
          "    }\n"
          "  }\n"
          "}\n";
  return text.str();
}

std::string understudy_configuration(std::uint16_t port, std::uint16_t upstream) {
  std::ostringstream text;
  text << "[model]\n"
          "provider = \"upstream\"\n"
          "default = \"bench-1\"\n"
          "[providers.upstream]\n"
          "protocol = \"openai_chat\"\n"
          "base_url = \"http://127.0.0.1:"
       << upstream
       << "/v1\"\n"
          "credentials = []\n"
          "[server]\n"
          "listen = \"127.0.0.1:"
       << port
       << "\"\n"
          "threads = 1\n"
          "[log]\n"
          "level = \"warn\"\n";
  return text.str();
}

Side start(const Cores& cores, const std::string& name, std::uint16_t port, const std::string& log,
           const std::vector<std::string>& arguments) {
  Side side;
  side.name = name;
  side.port = port;
  const auto run = [&] {
    cores.use_proxys();
    become(arguments);
  };
  side.process = std::make_unique<Process>(run, log);
  side.pid = side.process->pid();
  await_listener(port, log);
  return side;
}

}  // namespace

std::optional<Side> start_nginx(const Cores& cores, const std::string& folder,
                                std::uint16_t upstream) {
  const auto program = found("nginx");
  if (program.empty()) {
    return std::nullopt;
  }
  const auto port = free_port();
  const auto file = folder + "/nginx.conf";
  const auto log = folder + "/nginx.log";
  std::ofstream(file) << nginx_configuration(folder, port, upstream);
  auto side = start(cores, "nginx", port, log, {program, "-c", file, "-e", log});
  side.pid = child_of(side.pid);
  return side;
}

std::optional<Side> start_understudy(const Cores& cores, const std::string& folder,
                                     std::uint16_t upstream, const std::string& program) {
  if (!fs::exists(program)) {
    return std::nullopt;
  }
  const auto port = free_port();
  const auto file = folder + "/understudy.toml";
  std::ofstream(file) << understudy_configuration(port, upstream);
  return start(cores, "understudy", port, folder + "/understudy.log",
               {program, "serve", "--config", file});
}

}  // namespace bench
