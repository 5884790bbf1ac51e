#include "config/settings.hpp"

#include <algorithm>
#include <sstream>

#include "config/docker_settings.hpp"
#include "config/setting_kinds.hpp"
#include "model/application_host.hpp"

namespace agentdb9::config {
namespace {

Setting seconds(std::string key, std::int64_t least, std::int64_t most,
                std::chrono::seconds ProxySettings::* member) {
    return number(
        std::move(key), least, most,
        [=](Configuration& c, std::int64_t v) { c.proxy.*member = std::chrono::seconds(v); },
        [=](const Configuration& c) { return (c.proxy.*member).count(); });
}

Setting connections(std::string key, std::int64_t ProxySettings::* member) {
    return number(
        std::move(key), 1, 1'000'000, [=](Configuration& c, std::int64_t v) { c.proxy.*member = v; },
        [=](const Configuration& c) { return c.proxy.*member; });
}

void add_proxy_settings(std::vector<Setting>& all) {
    constexpr std::int64_t kHour = 3'600;
    constexpr std::int64_t kWeek = 7 * 24 * kHour;
    all.push_back(seconds("proxy.headSeconds", 1, kHour, &ProxySettings::head));
    all.push_back(seconds("proxy.bodySeconds", 1, kHour, &ProxySettings::body_stall));
    all.push_back(seconds("proxy.idleSeconds", 1, kHour, &ProxySettings::idle));
    all.push_back(seconds("proxy.totalSeconds", 0, kWeek, &ProxySettings::total));
    all.push_back(seconds("proxy.connectSeconds", 1, kHour, &ProxySettings::connect));
    all.push_back(seconds("proxy.answerSeconds", 1, kWeek, &ProxySettings::answer));
    all.push_back(connections("proxy.connectionsPerUser", &ProxySettings::connections_per_user));
    all.push_back(connections("proxy.connectionsPerAddress", &ProxySettings::connections_per_address));
    all.push_back(connections("proxy.connectionsPerThread", &ProxySettings::connections_per_thread));
}

void add_log_settings(std::vector<Setting>& all) {
    all.push_back(make(
        "logs.level", Kind::kText,
        [](Configuration& c, const std::string& text) -> std::string {
            const std::vector<std::string> levels{"debug", "info", "warning", "error", "off"};
            if (std::ranges::find(levels, text) == levels.end())
                return "must be one of debug, info, warning, error, off";
            c.log_level = text;
            return {};
        },
        [](const Configuration& c) { return c.log_level; }));
    all.push_back(choice<LogFormat>(
        "logs.format", {{"auto", LogFormat::kAuto}, {"json", LogFormat::kJson}, {"human", LogFormat::kHuman}},
        [](Configuration& c) -> LogFormat& { return c.log_format; }));
    all.push_back(choice<AccessLog>(
        "logs.access", {{"off", AccessLog::kOff}, {"sampled", AccessLog::kSampled}, {"all", AccessLog::kAll}},
        [](Configuration& c) -> AccessLog& { return c.access_log; }));
    all.push_back(number(
        "logs.accessSample", 1, 1'000'000, [](Configuration& c, std::int64_t v) { c.access_sample = v; },
        [](const Configuration& c) { return c.access_sample; }));
}

void add_tls_settings(std::vector<Setting>& all) {
    const std::pair<const char*, std::optional<std::string> ServerSettings::*> paths[] = {
        {"server.tlsCertificate", &ServerSettings::tls_certificate},
        {"server.tlsKey", &ServerSettings::tls_key},
        {"server.appsTlsCertificate", &ServerSettings::apps_tls_certificate},
        {"server.appsTlsKey", &ServerSettings::apps_tls_key}};
    for (const auto& [key, member] : paths)
        all.push_back(optional_text(key, &Configuration::server, member, check_path));
    all.push_back(number(
        "server.tlsRenewSeconds", 0, 7 * 24 * 3600,
        [](Configuration& c, std::int64_t v) { c.server.tls_renew = std::chrono::seconds(v); },
        [](const Configuration& c) { return c.server.tls_renew.count(); }));
}

void add_backup_settings(std::vector<Setting>& all) {
    all.push_back(make(
        "backups.directory", Kind::kText,
        [](Configuration& c, const std::string& text) -> std::string {
            if (!text.starts_with('/')) return "must be an absolute path";
            c.backups.directory = text;
            return {};
        },
        [](const Configuration& c) {
            return c.backups.directory ? c.backups.directory->string() : "(backups in the data directory)";
        }));
    all.push_back(number(
        "backups.everyHours", 0, 8784,
        [](Configuration& c, std::int64_t v) { c.backups.every = std::chrono::hours(v); },
        [](const Configuration& c) { return c.backups.every.count(); }));
    all.push_back(number(
        "backups.keep", 1, 10'000,
        [](Configuration& c, std::int64_t v) { c.backups.keep = static_cast<int>(v); },
        [](const Configuration& c) { return c.backups.keep; }));
    all.push_back(number(
        "backups.maxParallel", 1, 64,
        [](Configuration& c, std::int64_t v) { c.backups.max_parallel = static_cast<int>(v); },
        [](const Configuration& c) { return c.backups.max_parallel; }));
    all.push_back(number(
        "backups.importLimit", 1024 * 1024, std::int64_t{1} << 50,
        [](Configuration& c, std::int64_t v) { c.backups.import_limit_bytes = v; },
        [](const Configuration& c) { return c.backups.import_limit_bytes; }));
}

void add_history_settings(std::vector<Setting>& all) {
    all.push_back(number(
        "history.days", 1, 3650,
        [](Configuration& c, std::int64_t v) { c.history.keep = std::chrono::days(v); },
        [](const Configuration& c) { return c.history.keep.count(); }));
    all.push_back(number(
        "history.perWorkspace", 10, 100'000, [](Configuration& c, std::int64_t v) { c.history.most = v; },
        [](const Configuration& c) { return c.history.most; }));
}

Setting idle_seconds(std::string key, std::int64_t least, std::int64_t most,
                     std::chrono::seconds IdleSettings::* member) {
    return number(
        std::move(key), least, most,
        [=](Configuration& c, std::int64_t v) { c.idle.*member = std::chrono::seconds(v); },
        [=](const Configuration& c) { return (c.idle.*member).count(); });
}

template <class Number>
Setting idle_number(std::string key, std::int64_t least, std::int64_t most, Number IdleSettings::* member) {
    return number(
        std::move(key), least, most,
        [=](Configuration& c, std::int64_t v) { c.idle.*member = static_cast<Number>(v); },
        [=](const Configuration& c) { return std::int64_t{c.idle.*member}; });
}

void add_idle_settings(std::vector<Setting>& all) {
    constexpr std::int64_t kYear = 525'600;  // in minutes
    all.push_back(idle_seconds("idle.checkSeconds", 1, 3'600, &IdleSettings::check));
    all.push_back(idle_seconds("idle.warningSeconds", 1, 86'400, &IdleSettings::warning));
    all.push_back(idle_number("idle.cpuPercent", 1, 10'000, &IdleSettings::cpu_percent));
    all.push_back(idle_number("idle.diskKilobytes", 1, 1'000'000'000, &IdleSettings::disk_kilobytes));
    all.push_back(idle_number("idle.leastMinutes", 1, kYear, &IdleSettings::least_minutes));
    all.push_back(idle_number("idle.mostMinutes", 0, kYear, &IdleSettings::most_minutes));
    all.push_back(idle_seconds("idle.keepAliveSeconds", 60, 31'536'000, &IdleSettings::longest_keep_alive));
}

void add_cleaning_settings(std::vector<Setting>& all) {
    constexpr std::int64_t kMonth = 44'640;  // in minutes
    for (const auto duty : model::kDuties) {
        // What lies in the trash goes by itself, always.
        const std::int64_t least = duty == model::Duty::kVolumes ? 1 : 0;
        const auto place = static_cast<std::size_t>(duty);
        all.push_back(number(
            "cleaning." + std::string(model::to_text(duty)) + "Minutes", least, kMonth,
            [=](Configuration& c, std::int64_t v) { c.cleaning.every.at(place) = std::chrono::minutes(v); },
            [=](const Configuration& c) { return c.cleaning.every.at(place).count(); }));
    }
    all.push_back(number(
        "cleaning.failedHours", 0, 8784,
        [](Configuration& c, std::int64_t v) { c.cleaning.failed_after = std::chrono::hours(v); },
        [](const Configuration& c) { return c.cleaning.failed_after.count(); }));
    all.push_back(number(
        "cleaning.inactiveDays", 0, 3650,
        [](Configuration& c, std::int64_t v) { c.cleaning.inactive_after = std::chrono::days(v); },
        [](const Configuration& c) { return c.cleaning.inactive_after.count(); }));
    all.push_back(number(
        "cleaning.imageDays", 0, 3650,
        [](Configuration& c, std::int64_t v) { c.cleaning.image_after = std::chrono::days(v); },
        [](const Configuration& c) { return c.cleaning.image_after.count(); }));
}

// 0: no limit.
void add_quota_settings(std::vector<Setting>& all) {
    const auto count = [&](std::string key, std::int64_t most,
                           std::optional<std::int64_t> model::Quota::* member) {
        all.push_back(number(
            std::move(key), 0, most, [=](Configuration& c, std::int64_t v) { c.quota.*member = v; },
            [=](const Configuration& c) { return (c.quota.*member).value_or(0); }));
    };
    count("quotas.workspaces", 1'000'000, &model::Quota::workspaces);
    count("quotas.running", 1'000'000, &model::Quota::running);
    // Whole ones here; `agentdb9 user quota` takes parts.
    all.push_back(number(
        "quotas.cpus", 0, 1'000'000,
        [](Configuration& c, std::int64_t v) { c.quota.cpus = static_cast<double>(v); },
        [](const Configuration& c) { return static_cast<std::int64_t>(c.quota.cpus.value_or(0)); }));
    count("quotas.memory", std::int64_t{1} << 40, &model::Quota::memory_mb);
    count("quotas.volumeBytes", std::int64_t{1} << 53, &model::Quota::volume_bytes);
}

void add_execution_settings(std::vector<Setting>& all) {
    constexpr std::int64_t kDay = 86'400;
    all.push_back(number(
        "executions.perWorkspace", 1, 1'000,
        [](Configuration& c, std::int64_t v) { c.executions.per_workspace = v; },
        [](const Configuration& c) { return c.executions.per_workspace; }));
    all.push_back(number(
        "executions.perUser", 1, 10'000, [](Configuration& c, std::int64_t v) { c.executions.per_user = v; },
        [](const Configuration& c) { return c.executions.per_user; }));
    all.push_back(number(
        "executions.defaultSeconds", 1, kDay,
        [](Configuration& c, std::int64_t v) { c.executions.default_time = std::chrono::seconds(v); },
        [](const Configuration& c) { return c.executions.default_time.count(); }));
    all.push_back(number(
        "executions.maxSeconds", 1, kDay,
        [](Configuration& c, std::int64_t v) { c.executions.longest_time = std::chrono::seconds(v); },
        [](const Configuration& c) { return c.executions.longest_time.count(); }));
}

void add_terminal_settings(std::vector<Setting>& all) {
    all.push_back(number(
        "terminals.perWorkspace", 1, 1'000,
        [](Configuration& c, std::int64_t v) { c.terminals.per_workspace = v; },
        [](const Configuration& c) { return c.terminals.per_workspace; }));
    all.push_back(number(
        "terminals.perUser", 1, 10'000, [](Configuration& c, std::int64_t v) { c.terminals.per_user = v; },
        [](const Configuration& c) { return c.terminals.per_user; }));
    all.push_back(number(
        "terminals.keepSeconds", 1, 86'400,
        [](Configuration& c, std::int64_t v) { c.terminals.keep = std::chrono::seconds(v); },
        [](const Configuration& c) { return c.terminals.keep.count(); }));
}

std::vector<Setting> make_settings() {
    std::vector<Setting> all;
    all.push_back(make(
        "dataDir", Kind::kText,
        [](Configuration& c, const std::string& text) -> std::string {
            if (text.empty()) return "must not be empty";
            c.data_dir = text;
            return {};
        },
        [](const Configuration& c) { return c.data_dir.string(); }));
    all.push_back(secret(make(
        "database.url", Kind::kText,
        [](Configuration& c, const std::string& text) -> std::string {
            const bool known = text.starts_with("postgres://") || text.starts_with("postgresql://") ||
                               (text.starts_with("sqlite:") && text.size() > 7);
            if (!known) {
                return "must be postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:/path/to/file.db, or "
                       "unset for "
                       "a file in the data directory";
            }
            c.database_url = text;
            return {};
        },
        [](const Configuration& c) { return c.database_url.value_or("(SQLite in the data directory)"); })));
    all.push_back(address("server.listen", &ServerSettings::listen));
    all.push_back(address("server.appsListen", &ServerSettings::apps_listen));
    all.push_back(number(
        "server.threads", 0, 64,
        [](Configuration& c, std::int64_t v) { c.server.threads = static_cast<int>(v); },
        [](const Configuration& c) { return c.server.threads; }));
    all.push_back(
        optional_text("server.publicUrl", &Configuration::server, &ServerSettings::public_url, check_origin));
    all.push_back(
        optional_text("server.appsUrl", &Configuration::server, &ServerSettings::apps_url, check_origin));
    add_tls_settings(all);
    all.push_back(make(
        "server.appsDomain", Kind::kText,
        [](Configuration& c, const std::string& text) -> std::string {
            auto domain = text;
            std::ranges::transform(domain, domain.begin(), [](char letter) {
                return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
            });
            if (auto problem = model::check_applications_domain(domain); !problem.empty()) return problem;
            c.server.apps_domain = std::move(domain);
            return {};
        },
        [](const Configuration& c) { return c.server.apps_domain.value_or("(not set)"); }));
    all.push_back(make(
        "server.trustedProxies", Kind::kTextList,
        [](Configuration& c, const std::string& text) -> std::string {
            std::vector<std::string> list;
            std::stringstream items(text);
            for (std::string item; std::getline(items, item, ',');) {
                if (!is_network(item))
                    return "must be addresses or networks like 10.0.0.0/8, and '" + item + "' is neither";
                list.push_back(item);
            }
            c.server.trusted_proxies = std::move(list);
            return {};
        },
        [](const Configuration& c) { return show_list(c.server.trusted_proxies); }));
    all.push_back(number(
        "server.bodyLimit", 1024, 1024 * 1024 * 1024,
        [](Configuration& c, std::int64_t v) { c.server.body_limit_bytes = v; },
        [](const Configuration& c) { return c.server.body_limit_bytes; }));
    all.push_back(number(
        "server.drainSeconds", 0, 600,
        [](Configuration& c, std::int64_t v) { c.server.drain = std::chrono::seconds(v); },
        [](const Configuration& c) { return c.server.drain.count(); }));
    add_proxy_settings(all);
    all.push_back(choice<bool>("auth.registration", {{"open", true}, {"closed", false}},
                               [](Configuration& c) -> bool& { return c.auth.registration_open; }));
    all.push_back(flag("auth.rateLimit", [](Configuration& c) -> bool& { return c.auth.rate_limit; }));
    auto jwt = secret(optional_text(
        "auth.jwtSecret", &Configuration::auth, &AuthSettings::jwt_secret, [](const std::string& text) {
            return text.size() < 32 ? std::string("must have at least 32 characters") : std::string();
        }));
    jwt.environment = "AGENTDB9_JWT_SECRET";
    all.push_back(std::move(jwt));
    auto email = optional_text(
        "auth.adminEmail", &Configuration::auth, &AuthSettings::admin_email, [](const std::string& text) {
            return text.find('@') == std::string::npos ? std::string("must be an e-mail address")
                                                       : std::string();
        });
    email.environment = "AGENTDB9_ADMIN_EMAIL";
    all.push_back(std::move(email));
    auto password = secret(optional_text("auth.adminPassword", &Configuration::auth,
                                         &AuthSettings::admin_password, [](const std::string& text) {
                                             return text.size() < 8
                                                        ? std::string("must have at least 8 characters")
                                                        : std::string();
                                         }));
    password.environment = "AGENTDB9_ADMIN_PASSWORD";
    all.push_back(std::move(password));
    add_docker_settings(all);
    all.push_back(number(
        "trash.days", 1, 3650, [](Configuration& c, std::int64_t v) { c.trash = std::chrono::days(v); },
        [](const Configuration& c) { return c.trash.count(); }));
    all.push_back(number(
        "audit.days", 1, 3650, [](Configuration& c, std::int64_t v) { c.audit = std::chrono::days(v); },
        [](const Configuration& c) { return c.audit.count(); }));
    add_backup_settings(all);
    add_history_settings(all);
    add_idle_settings(all);
    add_cleaning_settings(all);
    add_quota_settings(all);
    add_execution_settings(all);
    add_terminal_settings(all);
    add_log_settings(all);
    return all;
}

}  // namespace

const std::vector<Setting>& settings() {
    static const std::vector<Setting> all = make_settings();
    return all;
}

}  // namespace agentdb9::config
