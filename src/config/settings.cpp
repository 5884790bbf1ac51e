#include "config/settings.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "model/application_host.hpp"

namespace agentdb9::config {
namespace {

using Setter = std::function<std::string(Configuration&, const std::string&)>;
using Shower = std::function<std::string(const Configuration&)>;

std::string environment_name(std::string_view key) {
    std::string name = "AGENTDB9_";
    for (const char c : key) {
        if (c == '.') {
            name += '_';
        } else if (c >= 'A' && c <= 'Z') {
            name += '_';
            name += c;
        } else {
            name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        }
    }
    return name;
}

Setting make(std::string key, Kind kind, Setter set, Shower show) {
    auto environment = environment_name(key);
    return {.key = std::move(key),
            .environment = std::move(environment),
            .kind = kind,
            .set = std::move(set),
            .show = std::move(show)};
}

std::optional<std::int64_t> integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_ip_address(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

// "192.0.2.7" or "10.0.0.0/8".
bool is_network(const std::string& text) {
    const auto slash = text.find('/');
    if (!is_ip_address(text.substr(0, slash))) return false;
    if (slash == std::string::npos) return true;
    const auto length = integer(std::string_view(text).substr(slash + 1));
    return length && *length >= 0 && *length <= (text.find(':') == std::string::npos ? 32 : 128);
}

std::string check_engine_address(const std::string& text) {
    if (text.starts_with("unix:///") && text.size() <= std::string_view("unix://").size() + 100) return {};
    const auto colon = text.rfind(':');
    if (text.starts_with("tcp://") && colon > 6 &&
        model::parse_port(std::string_view(text).substr(colon + 1)) &&
        text.find_first_of("/?#@ ", 6) == std::string::npos)
        return {};
    return "must be unix:///path/to/socket (100 characters at most) or tcp://ADDRESS:PORT";
}

Setting number(std::string key, std::int64_t least, std::int64_t most,
               std::function<void(Configuration&, std::int64_t)> set,
               std::function<std::int64_t(const Configuration&)> get) {
    return make(
        std::move(key), Kind::kInteger,
        [=](Configuration& c, const std::string& text) -> std::string {
            const auto value = integer(text);
            if (!value || *value < least || *value > most) {
                return "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
            }
            set(c, *value);
            return {};
        },
        [=](const Configuration& c) { return std::to_string(get(c)); });
}

Setting address(std::string key, Address ServerSettings::* member) {
    return make(
        std::move(key), Kind::kText,
        [=](Configuration& c, const std::string& text) -> std::string {
            const auto colon = text.rfind(':');
            const auto port =
                colon == std::string::npos ? std::nullopt : integer(std::string_view(text).substr(colon + 1));
            if (!port || *port < 0 || *port > 65535 || colon == 0)
                return "must be ADDRESS:PORT, e.g. 127.0.0.1:8000";
            std::string host = text.substr(0, colon);
            if (host.size() > 2 && host.front() == '[' && host.back() == ']')
                host = host.substr(1, host.size() - 2);
            if (host == "localhost") host = "127.0.0.1";
            if (!is_ip_address(host)) return "must name an IP address, e.g. 127.0.0.1:8000 or [::1]:8000";
            c.server.*member = {host, static_cast<int>(*port)};
            return {};
        },
        [=](const Configuration& c) {
            const auto& value = c.server.*member;
            const bool six = value.host.find(':') != std::string::npos;
            return (six ? "[" + value.host + "]" : value.host) + ":" + std::to_string(value.port);
        });
}

template <class Part>
Setting optional_text(std::string key, Part Configuration::* part, std::optional<std::string> Part::* member,
                      std::function<std::string(const std::string&)> check = {}) {
    return make(
        std::move(key), Kind::kText,
        [=](Configuration& c, const std::string& text) -> std::string {
            if (check) {
                if (auto problem = check(text); !problem.empty()) return problem;
            }
            c.*part.*member = text;
            return {};
        },
        [=](const Configuration& c) { return (c.*part.*member).value_or("(not set)"); });
}

std::string check_origin(const std::string& text) {
    const bool scheme = text.starts_with("http://") || text.starts_with("https://");
    const auto host = scheme ? text.substr(text.find("//") + 2) : std::string();
    if (host.empty() || host.find_first_of("/?#@ ") != std::string::npos) {
        return "must be an origin without a path, e.g. https://work.example";
    }
    return {};
}

std::string check_path(const std::string& text) {
    return text.starts_with('/') ? std::string() : "must be an absolute path";
}

Setting flag(std::string key, std::function<bool&(Configuration&)> member) {
    return make(
        std::move(key), Kind::kFlag,
        [=](Configuration& c, const std::string& text) -> std::string {
            if (text != "true" && text != "false") return "must be true or false";
            member(c) = text == "true";
            return {};
        },
        [=](const Configuration& c) {
            auto copy = c;
            return std::string(member(copy) ? "true" : "false");
        });
}

template <class Enum>
Setting choice(std::string key, std::vector<std::pair<std::string, Enum>> choices,
               std::function<Enum&(Configuration&)> member) {
    return make(
        std::move(key), Kind::kText,
        [=](Configuration& c, const std::string& text) -> std::string {
            std::string names;
            for (const auto& [name, value] : choices) {
                if (name == text) {
                    member(c) = value;
                    return {};
                }
                names += (names.empty() ? "\"" : ", \"") + name + "\"";
            }
            return "must be one of " + names;
        },
        [=](const Configuration& c) {
            auto copy = c;
            for (const auto& [name, value] : choices) {
                if (value == member(copy)) return name;
            }
            return std::string();
        });
}

std::string show_list(const std::vector<std::string>& list) {
    std::string text;
    for (const auto& item : list)
        text += (text.empty() ? "" : ",") + item;
    return text.empty() ? "(none)" : text;
}

Setting secret(Setting setting) {
    setting.secret = true;
    return setting;
}

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
    all.push_back(
        optional_text("docker.host", &Configuration::docker, &DockerSettings::host, check_engine_address));
    all.push_back(make(
        "docker.network", Kind::kText,
        [](Configuration& c, const std::string& text) -> std::string {
            if (text.empty() || text == "host" || text == "none" || text == "bridge")
                return "must name a network of its own";
            c.docker.network = text;
            return {};
        },
        [](const Configuration& c) { return c.docker.network; }));
    all.push_back(choice<Reach>(
        "docker.reach",
        {{"auto", Reach::kAuto}, {"address", Reach::kAddress}, {"published", Reach::kPublished}},
        [](Configuration& c) -> Reach& { return c.docker.reach; }));
    all.push_back(make(
        "docker.volumeDriver", Kind::kText,
        [](Configuration& c, const std::string& text) -> std::string {
            c.docker.volume_driver = text;
            return text.empty() ? "must not be empty" : "";
        },
        [](const Configuration& c) { return c.docker.volume_driver; }));
    all.push_back(number(
        "docker.maxParallelStarts", 1, 64,
        [](Configuration& c, std::int64_t v) { c.docker.max_parallel_starts = static_cast<int>(v); },
        [](const Configuration& c) { return c.docker.max_parallel_starts; }));
    all.push_back(number(
        "trash.days", 1, 3650, [](Configuration& c, std::int64_t v) { c.trash = std::chrono::days(v); },
        [](const Configuration& c) { return c.trash.count(); }));
    add_backup_settings(all);
    add_log_settings(all);
    return all;
}

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto above = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace

const std::vector<Setting>& settings() {
    static const std::vector<Setting> all = make_settings();
    return all;
}

std::optional<std::string> did_you_mean(std::string_view name, const std::vector<std::string>& known) {
    std::optional<std::string> best;
    std::size_t best_distance = 3;
    for (const auto& each : known) {
        if (const auto d = distance(name, each); d < best_distance) {
            best_distance = d;
            best = each;
        }
    }
    return best;
}

}  // namespace agentdb9::config
