// What the operator set. Plain values, read once at start; safe on any thread afterwards.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/cleaning.hpp"
#include "model/quota.hpp"
#include "model/rewrite.hpp"
#include "model/workspace_type.hpp"

namespace agentdb9::config {

struct Address {
    std::string host;  // an IP address in text form
    int port = 0;      // 0: any free one
};

struct ServerSettings {
    Address listen{"127.0.0.1", 8000};
    Address apps_listen{"127.0.0.1", 8001};
    int threads = 0;                        // of the data plane; 0: one a core
    std::optional<std::string> public_url;  // how browsers reach the API's origin, e.g. https://work.example
    std::optional<std::string> apps_url;    // how they reach the applications' origin
    // Each application at "{port}--{workspaceId}.{appsDomain}"; lower case, no dot at either end.
    std::optional<std::string> apps_domain;
    // Paths of PEM files; both or neither. Those of the applications' listener: absent, the same.
    std::optional<std::string> tls_certificate;
    std::optional<std::string> tls_key;
    std::optional<std::string> apps_tls_certificate;
    std::optional<std::string> apps_tls_key;
    std::chrono::seconds tls_renew{std::chrono::hours(12)};  // 0: by SIGHUP only
    std::vector<std::string> trusted_proxies;  // addresses whose X-Forwarded-* headers are believed
    std::int64_t body_limit_bytes = 1024 * 1024;
    std::chrono::seconds drain{10};
};

// What one client may take of the data plane, and how long it waits.
struct ProxySettings {
    std::chrono::seconds head{10};
    std::chrono::seconds body_stall{120};
    std::chrono::seconds idle{75};
    std::chrono::seconds total{0};  // 0: no limit
    std::chrono::seconds connect{5};
    std::chrono::seconds answer{300};
    std::int64_t connections_per_user = 6'000;
    std::int64_t connections_per_address = 10'000;
    std::int64_t connections_per_thread = 16'384;
};

struct AuthSettings {
    bool registration_open = false;
    bool rate_limit = true;
    std::optional<std::string> jwt_secret;  // made on first start when absent
    std::optional<std::string> admin_email;
    std::optional<std::string> admin_password;
};

enum class Reach { kAuto, kAddress, kPublished };
enum class Firewall { kAuto, kRequired, kOff };

struct DockerSettings {
    std::optional<std::string> host;  // as DOCKER_HOST; absent: the default socket
    std::string network = "agentdb9_default";
    Reach reach = Reach::kAuto;
    std::string volume_driver = "local";
    std::map<std::string, std::string> volume_driver_options;
    int max_parallel_starts = 4;
    Firewall firewall = Firewall::kAuto;
    std::optional<std::vector<std::string>> egress;  // addresses and networks; absent: nearly all
    std::vector<int> host_ports;                     // of this host, TCP, that workspaces may reach
    std::optional<std::string> registry_logins;      // a file; absent: where 'docker login' keeps them
};

struct BackupSettings {
    std::optional<std::filesystem::path> directory;  // absent: "backups" in the data directory
    std::chrono::hours every{0};                     // 0: only when asked
    int keep = 7;                                    // of each project, of those made by themselves
    int max_parallel = 2;
    std::int64_t import_limit_bytes = std::int64_t{20} << 30;
};

// What is kept of workspaces' lives.
struct HistorySettings {
    std::chrono::days keep{90};
    std::int64_t most = 1'000;  // of each workspace
};

// Workspaces that nobody uses.
struct IdleSettings {
    std::chrono::seconds check{60};
    std::chrono::seconds warning{300};
    int cpu_percent = 5;                 // of one processor: who uses more is busy
    std::int64_t disk_kilobytes = 1024;  // a minute: likewise
    int least_minutes = 5;               // what a workspace's own idle time may be
    int most_minutes = 0;                // 0: anything, and never
    std::chrono::seconds longest_keep_alive{86400};
};

// Commands in workspaces.
struct ExecutionSettings {
    std::int64_t per_workspace = 8;  // at once
    std::int64_t per_user = 32;
    std::chrono::seconds default_time{60};
    std::chrono::seconds longest_time{3600};
};

struct TerminalSettings {
    std::int64_t per_workspace = 8;  // at once
    std::int64_t per_user = 16;
    std::chrono::seconds keep{60};  // without a connection
};

enum class LogFormat { kAuto, kJson, kHuman };
enum class AccessLog { kOff, kSampled, kAll };

// "/vscode" and "/spreadsheet" lead to the caller's default workspace of that type.
std::vector<model::Rewrite> default_rewrites();

struct Configuration {
    std::filesystem::path data_dir;
    std::optional<std::string> database_url;  // absent: SQLite in the data directory
    ServerSettings server;
    ProxySettings proxy;
    AuthSettings auth;
    DockerSettings docker;
    std::chrono::days trash{7};
    std::chrono::days audit{90};
    BackupSettings backups;
    HistorySettings history;
    model::CleaningSettings cleaning;
    IdleSettings idle;
    model::Quota quota;  // of each user for whom the operator set none
    ExecutionSettings executions;
    TerminalSettings terminals;
    std::string log_level = "info";
    LogFormat log_format = LogFormat::kAuto;
    AccessLog access_log = AccessLog::kOff;
    std::int64_t access_sample = 100;  // one in so many
    std::vector<model::WorkspaceType> workspace_types = model::built_in_types();
    std::vector<model::Rewrite> rewrites = default_rewrites();

    bool on_postgresql() const { return database_url && database_url->starts_with("postgres"); }
    std::filesystem::path database_file() const { return data_dir / "agentdb9.db"; }
    std::filesystem::path backup_directory() const {
        return backups.directory.value_or(data_dir / "backups");
    }
    std::filesystem::path operator_socket() const { return data_dir / "agentdb9.sock"; }
};

// One line of `agentdb9 config`.
struct ShownSetting {
    std::string key;
    std::string value;   // secrets, and what may hold some (a type's env, a driver's options): "(set)"
    std::string source;  // "flag --listen", "environment AGENTDB9_…", "agentdb9.toml:12", "default"
};

struct Loaded {
    Configuration configuration;
    std::vector<ShownSetting> shown;
    std::vector<std::string> warnings;          // environment names that look like ours but are not known
    std::optional<std::filesystem::path> file;  // the configuration file that was read
};

struct Flag {
    std::string name;  // "--listen"
    std::string value;
};

struct Inputs {
    std::map<std::string, Flag> flags;               // by key, e.g. "server.listen"
    std::map<std::string, std::string> environment;  // the whole of it
    std::optional<std::filesystem::path> file;       // --config
};

// Throws base::Error{kInvalid, "invalid_configuration"}; every problem is a field of it: the field is
// "agentdb9.toml:12: server.threads" and the like, and the message has all of them, a line each.
Loaded load(const Inputs& inputs);

}  // namespace agentdb9::config
