#include "support/postgres_server.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "store/postgres/postgres_connection.hpp"

namespace agentdb9::test {
namespace {

namespace fs = std::filesystem;

// Debian keeps the servers apart by version; the newest will do.
std::string programs() {
    std::string best;
    for (const auto& each : fs::directory_iterator("/usr/lib/postgresql"))
        if (fs::exists(each.path() / "bin/initdb")) best = std::max(best, (each.path() / "bin").string());
    if (best.empty())
        throw std::runtime_error("no PostgreSQL server is installed; scripts/test installs one");
    return best + "/";
}

// PostgreSQL refuses to run as root.
void become_its_user() {
    if (::geteuid() != 0) return;
    const passwd* user = ::getpwnam("postgres");
    if (user == nullptr || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0) ::_exit(126);
}

int spawn(const std::vector<std::string>& command, const std::string& log) {
    const int child = ::fork();
    if (child != 0) return child;
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    if (::chdir("/") != 0) ::_exit(126);
    become_its_user();
    // After the change of user, which takes it away: SIGQUIT ends the server and its children at once.
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    std::vector<char*> arguments;
    for (const auto& each : command)
        arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
}

}  // namespace

PostgresServer& PostgresServer::instance() {
    static PostgresServer server;
    return server;
}

PostgresServer::PostgresServer() {
    std::string path = (fs::temp_directory_path() / "agentdb9-postgres-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = path;
    if (::geteuid() == 0) {
        const passwd* user = ::getpwnam("postgres");
        if (user == nullptr || ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
            throw std::runtime_error("there is no user 'postgres'");
    }
    const int child = spawn({programs() + "initdb", "-D", directory_ + "/data", "-A", "trust", "-U",
                             "postgres", "--no-sync", "-E", "UTF8", "--locale=C"},
                            directory_ + ".log");
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) throw std::runtime_error("initdb failed; its log: " + directory_ + ".log");
    start();
}

PostgresServer::~PostgresServer() {
    stop();
    std::error_code ec;
    fs::remove_all(directory_, ec);
    fs::remove(directory_ + ".log", ec);
}

void PostgresServer::start() {
    pid_ = spawn(
        {programs() + "postgres", "-D", directory_ + "/data", "-k", directory_, "-c",
         "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60", "-c", "shared_buffers=16MB"},
        directory_ + ".log");
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
        try {
            store::PostgresConnection(url_of("postgres"), {});
            return;
        } catch (const std::exception&) {
            if (std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error("PostgreSQL did not start; its log: " + directory_ + ".log");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void PostgresServer::stop() {
    ::kill(pid_, SIGINT);
    int status = 0;
    ::waitpid(pid_, &status, 0);
}

std::string PostgresServer::url_of(const std::string& database) const {
    return "postgresql:///" + database + "?user=postgres&host=" + directory_;
}

std::string PostgresServer::make_database() {
    const auto name = "test_" + std::to_string(++next_);
    store::PostgresConnection(url_of("postgres"), {}).execute_script("CREATE DATABASE " + name);
    return url_of(name);
}

void PostgresServer::drop_database(const std::string& url) {
    const auto from = url.find("///") + 3;
    const auto name = url.substr(from, url.find('?') - from);
    store::PostgresConnection(url_of("postgres"), {})
        .execute_script("DROP DATABASE " + name + " WITH (FORCE)");
}

// Each of its processes has a process group of its own.
void PostgresServer::signal_all(int number) const {
    const auto pid = std::to_string(pid_);
    std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
    for (int child = 0; children >> child;)
        ::kill(child, number);
    ::kill(pid_, number);
}

void PostgresServer::pause() {
    signal_all(SIGSTOP);
}

void PostgresServer::resume() {
    signal_all(SIGCONT);
}

void PostgresServer::restart() {
    ::kill(pid_, SIGQUIT);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    start();
}

}  // namespace agentdb9::test
