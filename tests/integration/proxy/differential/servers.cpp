#include "servers.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "../peers.hpp"

namespace agentdb9::test {
namespace {

namespace fs = std::filesystem;

std::string find_program(const std::string& name) {
    for (const char* place : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"})
        if (::access((place + name).c_str(), X_OK) == 0) return place + name;
    throw std::runtime_error("the program " + name +
                             " is missing, which this test compares with; scripts/test installs it");
}

std::string socket_in(const fs::path& directory, std::size_t lane) {
    return (directory / (std::to_string(lane) + ".sock")).string();
}

// As generous as it can be in all that is no framing. A request is passed on when it is whole.
std::string nginx_configuration(const fs::path& directory, const std::vector<std::uint16_t>& recorders) {
    std::ostringstream text;
    text
        << "daemon off;\nmaster_process off;\npid " << directory.string() << "/pid;\n"
        << "error_log stderr info;\nevents { worker_connections 1024; }\nhttp {\n"
        << "  access_log off;\n  tcp_nodelay on;\n  keepalive_timeout 1h;\n  keepalive_requests 1000000000;\n"
        << "  client_max_body_size 0;\n  client_body_buffer_size 1m;\n"
        << "  client_header_buffer_size 64k;\n  large_client_header_buffers 8 64k;\n"
        << "  client_header_timeout 1h;\n  client_body_timeout 1h;\n";
    for (const char* part : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
        text << "  " << part << "_temp_path " << (directory / part).string() << ";\n";
    for (std::size_t lane = 0; lane < recorders.size(); ++lane)
        text << "  upstream recorder" << lane << " { server 127.0.0.1:" << recorders[lane]
             << "; keepalive 8; keepalive_requests 1000000000; keepalive_timeout 1h; }\n"
             << "  server {\n    listen unix:" << socket_in(directory, lane) << ";\n    location / {\n"
             << "      proxy_pass http://recorder" << lane << ";\n      proxy_http_version 1.1;\n"
             << "      proxy_set_header Connection \"\";\n      proxy_ignore_client_abort on;\n"
             << "      proxy_next_upstream off;\n    }\n  }\n";
    text << "}\n";
    return text.str();
}

std::string haproxy_configuration(const fs::path& directory, const std::vector<std::uint16_t>& recorders) {
    std::ostringstream text;
    text << "global\n  nbthread 1\n  maxconn 1000\n  tune.bufsize 131072\n  tune.http.maxhdr 1000\n"
         << "defaults\n  mode http\n  option http-keep-alive\n  http-reuse always\n  retries 0\n"
         << "  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n  timeout http-keep-alive 1h\n";
    for (std::size_t lane = 0; lane < recorders.size(); ++lane)
        text << "listen lane" << lane << "\n  bind unix@" << socket_in(directory, lane)
             << "\n  server recorder 127.0.0.1:" << recorders[lane] << "\n";
    return text.str();
}

std::vector<std::string> arguments_of(Peer peer, const fs::path& directory,
                                      const std::vector<std::uint16_t>& recorders) {
    const auto file = (directory / "configuration").string();
    const bool nginx = peer == Peer::kNginx;
    std::ofstream(file) << (nginx ? nginx_configuration(directory, recorders)
                                  : haproxy_configuration(directory, recorders));
    if (nginx) return {"-e", "stderr", "-p", directory.string(), "-c", file};
    return {"-db", "-f", file};
}

std::string content(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
    auto path = (fs::temp_directory_path() / "agentdb9-differential-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = path;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ec;
    fs::remove_all(path_, ec);
}

Process::Process(const std::string& program, const std::vector<std::string>& arguments, const fs::path& log) {
    const auto path = find_program(program);
    const auto output = log.string();
    std::vector<char*> given{const_cast<char*>(path.c_str())};
    for (const auto& each : arguments)
        given.push_back(const_cast<char*>(each.c_str()));
    given.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no process for " + program);
    if (pid_ > 0) return;
    // Between fork and exec of a program with threads: system calls only.
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execv(path.c_str(), given.data());
    ::_exit(127);
}

Process::~Process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

const char* name_of(Peer peer) {
    return peer == Peer::kNginx ? "nginx" : "haproxy";
}

Server::Server(Peer peer, const std::vector<std::uint16_t>& recorders)
    : process_(name_of(peer), arguments_of(peer, directory_.path(), recorders), directory_.path() / "log") {
    const auto accepts = [&] {
        try {
            Connection::to_unix(socket(recorders.size() - 1));
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    };
    if (!eventually(accepts))
        throw std::runtime_error(std::string(name_of(peer)) +
                                 " did not start: " + content(directory_.path() / "log"));
}

std::string Server::socket(std::size_t lane) const {
    return socket_in(directory_.path(), lane);
}

}  // namespace agentdb9::test
