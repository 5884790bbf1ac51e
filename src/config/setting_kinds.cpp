#include "config/setting_kinds.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>

#include "model/application_host.hpp"

namespace agentdb9::config {
namespace {

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

}  // namespace

Setting make(std::string key, Kind kind, Setter set, Shower show) {
    auto environment = environment_name(key);
    return {.key = std::move(key),
            .environment = std::move(environment),
            .kind = kind,
            .set = std::move(set),
            .show = std::move(show)};
}

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

}  // namespace agentdb9::config
