#include "config/reference.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace agentdb9::config {
namespace {

struct Entry {
    std::string_view key;
    std::string_view about;
    std::string_view example;  // for a key without a default
};

constexpr std::array kEntries{
    Entry{"dataDir", "Where the database, the secrets and the operator's socket lie.",
          R"("/var/lib/agentdb9")"},
    Entry{"database.url", "The database; unset: SQLite in the data directory.",
          R"("sqlite:/var/lib/agentdb9/agentdb9.db")"},
    Entry{"server.listen", "Address of the API and the page. Port 0: any free one.", ""},
    Entry{"server.appsListen", "Address of the applications' own origin.", ""},
    Entry{"server.threads", "Threads that relay; 0: one a core.", ""},
    Entry{"server.publicUrl", "How browsers reach server.listen: its name, or that of a proxy before it.",
          R"("https://work.example.org")"},
    Entry{"server.appsUrl", "How browsers reach server.appsListen: another origin than publicUrl.",
          R"("https://apps.example.org")"},
    Entry{"server.appsDomain",
          "Gives each application an origin, {port}--{workspaceId} below it: a wildcard in DNS and "
          "certificate.",
          R"("apps.example.org")"},
    Entry{"server.tlsCertificate", "TLS on both listeners: a PEM file, the server's own certificate first.",
          R"("/etc/agentdb9/fullchain.pem")"},
    Entry{"server.tlsKey", "Its key, without a passphrase. SIGHUP reads both again.",
          R"("/etc/agentdb9/privkey.pem")"},
    Entry{"server.appsTlsCertificate", "Another certificate for server.appsListen; unset: the same.",
          R"("/etc/agentdb9/apps-fullchain.pem")"},
    Entry{"server.appsTlsKey", "Its key.", R"("/etc/agentdb9/apps-privkey.pem")"},
    Entry{"server.tlsRenewSeconds",
          "How often the files are read again and session tickets get new keys; 0: by SIGHUP only.", ""},
    Entry{"server.trustedProxies", "Proxies whose X-Forwarded-For and -Proto are believed.",
          R"(["127.0.0.1", "10.0.0.0/8"])"},
    Entry{"server.bodyLimit", "Largest request body of the API, in bytes. Applications have no limit.", ""},
    Entry{"server.drainSeconds", "How long requests under way may take when the server ends.", ""},
    Entry{"proxy.headSeconds", "How long a request's head may take to arrive.", ""},
    Entry{"proxy.bodySeconds", "How long a body may make no progress, in either direction.", ""},
    Entry{"proxy.idleSeconds", "How long a connection is kept without a request.", ""},
    Entry{"proxy.totalSeconds", "How long a whole request may take; 0: no limit. Never for WebSockets.", ""},
    Entry{"proxy.connectSeconds", "How long an application may take to accept a connection.", ""},
    Entry{"proxy.answerSeconds", "How long an application may take to begin its answer.", ""},
    Entry{"proxy.connectionsPerUser", "Open connections to applications of one user.", ""},
    Entry{"proxy.connectionsPerAddress", "Open connections of one address (IPv6: of one /64).", ""},
    Entry{"proxy.connectionsPerThread", "Open connections of each thread of the server.", ""},
    Entry{"auth.registration", "open: anyone may make an account.", ""},
    Entry{"auth.rateLimit", "Limits tries at passwords, by address and by account.", ""},
    Entry{"auth.jwtSecret", "Signs access tokens; unset: made on first start, in the data directory.",
          R"("at least 32 characters, from a random source")"},
    Entry{"auth.adminEmail", "The first admin, made when there is none.", R"("admin@example.org")"},
    Entry{"auth.adminPassword", "Its password; unset: a one-time password is printed.",
          R"("at least 8 characters")"},
    Entry{"docker.host", "The engine; unset: DOCKER_HOST, else the default socket.",
          R"("unix:///var/run/docker.sock")"},
    Entry{"docker.network", "The workspaces' network, made when it is missing.", ""},
    Entry{"docker.reach", "How workspaces are reached: auto, address or published (rootless engines).", ""},
    Entry{"docker.volumeDriver", "Keeps new volumes.", ""},
    Entry{"docker.maxParallelStarts", "Starts at once; more make each one slower.", ""},
    Entry{"docker.registryLogins",
          "Logins at registries, as 'docker login' keeps them; unset: where that does.",
          R"("/etc/agentdb9/registries.json")"},
    Entry{"docker.firewall", "Keeps workspaces from this host's services: auto, required or off.", ""},
    Entry{"docker.egress", "Addresses and networks that workspaces may reach; all: but link-local ones.",
          R"(["203.0.113.7", "10.20.0.0/16"])"},
    Entry{"docker.hostPorts", "TCP ports of this host that workspaces may reach.", R"(["443"])"},
    Entry{"trash.days", "How long deleted projects and homes can be restored.", ""},
    Entry{"quotas.workspaces",
          "What each user may have; 0: no limit. Other values for one user: 'agentdb9 user quota'.", ""},
    Entry{"quotas.running", "Workspaces that run at once.", ""},
    Entry{"quotas.cpus", "Processors of those, by their limits, all together.", ""},
    Entry{"quotas.memory", "Memory of those (MB), by their limits, all together.", ""},
    Entry{"quotas.volumeBytes", "Bytes in volumes, measured every hour; above it nothing new is begun.", ""},
    Entry{"audit.days", "How long it is known who did what.", ""},
    Entry{"backups.directory",
          "Where backups lie; unset: backups in the data directory. Better another disk.",
          R"("/var/backups/agentdb9")"},
    Entry{"backups.everyHours", "How often each project that changed is backed up by itself; 0: never.", ""},
    Entry{"backups.keep", "How many of these a project keeps. Those that people make stay.", ""},
    Entry{"backups.maxParallel", "Backups, restores and clones at once.", ""},
    Entry{"backups.importLimit", "Largest archive that is imported, in bytes, as sent and unpacked.", ""},
    Entry{"history.days", "How long it is kept what happened in workspaces' lives.", ""},
    Entry{"history.perWorkspace", "How many happenings of each workspace are kept at most.", ""},
    Entry{"idle.checkSeconds", "How often it is looked which workspaces nobody uses.", ""},
    Entry{
        "idle.warningSeconds",
        "How long before a workspace is stopped, for nobody uses it or by its schedule, its events tell so.",
        ""},
    Entry{"idle.cpuPercent", "A workspace that uses more of one processor than that is in use.", ""},
    Entry{"idle.diskKilobytes", "One that reads and writes more than that a minute is, too.", ""},
    Entry{"idle.leastMinutes", "Shortest idle time that a workspace may be given by its owner.", ""},
    Entry{"idle.mostMinutes", "Longest; 0: any, and never.", ""},
    Entry{"idle.keepAliveSeconds", "For how long a workspace can be kept alive at once.", ""},
    Entry{"cleaning.volumesMinutes", "How often volumes whose time in the trash is over are removed.", ""},
    Entry{"cleaning.containersMinutes",
          "How often containers of deleted workspaces, and helpers left behind, are; 0: when asked.", ""},
    Entry{"cleaning.failedMinutes", "How often containers of failed starts are; 0: when asked.", ""},
    Entry{"cleaning.inactiveMinutes", "How often it is looked which workspaces are inactive; 0: when asked.",
          ""},
    Entry{"cleaning.imagesMinutes", "How often images that nothing needs are removed; 0: when asked.", ""},
    Entry{"cleaning.prefetchMinutes",
          "How often missing images of the workspace types are pulled, and at the start; 0: never.", ""},
    Entry{"cleaning.failedHours", "How long a failed start's container stays to be looked at.", ""},
    Entry{"cleaning.inactiveDays",
          "Workspaces that nobody has used for so long are marked inactive; 0: none.", ""},
    Entry{"cleaning.imageDays",
          "Images that this server pulled go when no type has named them for so long; 0: never.", ""},
    Entry{"executions.perWorkspace", "Commands at once in one workspace.", ""},
    Entry{"executions.perUser", "Commands at once in all workspaces of one user.", ""},
    Entry{"executions.defaultSeconds", "How long a command may take where its request does not say.", ""},
    Entry{"executions.maxSeconds", "How long one may ask for.", ""},
    Entry{"terminals.perWorkspace", "Terminals at once in one workspace.", ""},
    Entry{"terminals.perUser", "Terminals at once in all workspaces of one user.", ""},
    Entry{"terminals.keepSeconds", "How long one is kept without a connection.", ""},
    Entry{"logs.level", "debug, info, warning, error or off.", ""},
    Entry{"logs.format", "auto: for people on a terminal, JSON elsewhere; json; human.", ""},
    Entry{"logs.access", "A line for each request: off, sampled or all.", ""},
    Entry{"logs.accessSample", "sampled: one request in so many, and every one that fails (500 and above).",
          ""},
};

constexpr std::string_view kTables = R"(
# Options of the volume driver.
#[docker.volumeDriverOptions]
#type = "nfs"

# Workspace types: each key goes over the built-in entry's. A name of your own makes a new type.
#[workspaceTypes.vscode]
#containerImage = "codercom/code-server:latest"
#defaultPort = 8080
#command = ["--auth", "none"]
#env = { TZ = "UTC" }
#stripPrefix = true
#homePath = "/home/coder"
#[workspaceTypes.vscode.resourceLimits]
#cpus = 2.0
#memory = 2048
#memoryReservation = 512
#pids = 512
#shmSize = 64
#ulimits = { nofile = 65536 }
# What its users may set for a workspace of theirs (MB); what is absent: at most what the type has.
#[workspaceTypes.vscode.maximumLimits]
#cpus = 4.0
#memory = 8192
#pids = 2048
#[workspaceTypes.vscode.healthCheck]
#enabled = true
#path = "/healthz"
#interval = 30
#timeout = 10
#retries = 3

# Paths that lead to the caller's default workspace of a type, or to a fixed upstream.
#[rewrites]
#"/vscode" = "vscode"
#"/wiki" = "http://127.0.0.1:8080"
)";

const Entry& entry_of(const Setting& setting) {
    const auto* found = std::ranges::find(kEntries, setting.key, &Entry::key);
    if (found == kEntries.end())
        throw base::Error(base::ErrorCode::kInternal, "setting_undescribed",
                          "The setting " + setting.key + " is not described.");
    return *found;
}

std::string value_of(const Setting& setting, const Entry& entry) {
    if (!entry.example.empty()) return std::string(entry.example);
    auto value = setting.show(Configuration());
    return setting.kind == Kind::kText ? "\"" + value + "\"" : value;
}

}  // namespace

std::string default_file() {
    std::string text =
        "# AgentDB9 Workspaces: every setting with its default, or an example where it has none. Take away "
        "the\n"
        "# '#' of what you change. Flags and the environment variables named go over this file; 'agentdb9\n"
        "# config' shows what is in force.\n";
    std::string section;
    for (const auto& setting : settings()) {
        const auto& entry = entry_of(setting);
        const auto dot = setting.key.find('.');
        const auto its_section = dot == std::string::npos ? std::string() : setting.key.substr(0, dot);
        if (its_section != section) {
            text.append("\n#[").append(its_section).append("]\n");
            section = its_section;
        }
        text.append("# ").append(entry.about).append(" ").append(setting.environment).append("\n#");
        text.append(dot == std::string::npos ? setting.key : setting.key.substr(dot + 1));
        text.append(" = ").append(value_of(setting, entry)).append("\n");
    }
    return text.append(kTables);
}

}  // namespace agentdb9::config
