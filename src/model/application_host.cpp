#include "model/application_host.hpp"

#include <algorithm>

#include "model/rewrite.hpp"

namespace agentdb9::model {
namespace {

constexpr std::string_view kSeparator = "--";
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kLongestLabel = 5 + kSeparator.size() + base::kUuidLength;
static_assert(kLongestLabel <= kMaxLabel);
constexpr std::size_t kMaxDomain = kMaxHostName - kLongestLabel - 1;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

// RFC 1123 section 2.1.
bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label,
                               [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
}

std::string_view without_scheme(std::string_view text) {
    const auto scheme = text.find("//");
    return scheme == text.npos ? text : text.substr(scheme + 2);
}

}  // namespace

std::string check_applications_domain(std::string_view domain) {
    if (domain.size() > kMaxDomain)
        return "must have " + std::to_string(kMaxDomain) + " characters at most, so that names below it fit";
    std::string_view last;
    for (std::string_view rest = domain;;) {
        const auto dot = rest.find('.');
        last = rest.substr(0, dot);
        if (!is_label(last))
            return "must be a domain in lower case like apps.example.org, without a scheme, port or '*'";
        if (dot == rest.npos) break;
        rest.remove_prefix(dot + 1);
    }
    if (std::ranges::all_of(last, is_digit)) return "must be a domain, and addresses have none below them";
    return {};
}

std::string application_host(const base::WorkspaceId& workspace, int port, std::string_view domain) {
    std::string host = std::to_string(port);
    return host.append(kSeparator).append(workspace.view()).append(".").append(domain);
}

std::expected<ApplicationName, HostFault> parse_application_host(std::string_view host,
                                                                 std::string_view domain) {
    constexpr auto kElsewhere = std::unexpected(HostFault::kElsewhere);
    constexpr auto kUnknown = std::unexpected(HostFault::kUnknown);
    auto name = lower(host);
    const auto colon = name.find(':');
    const bool port_is_none = colon != name.npos && !parse_port(std::string_view(name).substr(colon + 1));
    if (colon != name.npos) name.resize(colon);
    const bool dot_at_end = name.ends_with('.');
    if (dot_at_end) name.pop_back();
    if (!name.ends_with(domain) || name.size() <= domain.size()) return kElsewhere;
    std::string_view label(name.data(), name.size() - domain.size());
    if (label.back() != '.') return kElsewhere;
    if (port_is_none || dot_at_end) return kUnknown;
    label.remove_suffix(1);
    const auto separator = label.find(kSeparator);
    if (separator == label.npos) return kUnknown;
    const auto port = parse_port(label.substr(0, separator));
    const auto workspace = base::WorkspaceId::parse(label.substr(separator + kSeparator.size()));
    if (!port || !workspace) return kUnknown;
    return ApplicationName{*workspace, *port};
}

std::string host_name_of(std::string_view origin_or_host) {
    auto host = without_scheme(origin_or_host);
    host.remove_suffix(port_suffix_of(host).size());
    return lower(host);
}

std::string_view port_suffix_of(std::string_view origin_or_host) {
    const auto host = without_scheme(origin_or_host);
    const auto colon = host.rfind(':');
    if (colon == host.npos || host.find(']', colon) != host.npos) return {};
    return host.substr(colon);
}

}  // namespace agentdb9::model
