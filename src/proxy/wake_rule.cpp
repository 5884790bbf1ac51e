#include "proxy/wake_rule.hpp"

#include <charconv>

#include "http/message.hpp"

namespace agentdb9::proxy {
namespace {

using http::iequals;

// The next part of a query, which is taken off `rest`.
std::string_view take_pair(std::string_view& rest) {
    const auto end = rest.find('&');
    const auto pair = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    return pair;
}

bool is_starting(std::string_view pair) {
    return pair.substr(0, pair.find('=')) == kStartingParameter;
}

// h2c is refused by ignoring it (RFC 9113 section 3.1): such a request is an ordinary one.
bool is_upgrade(const http::RequestHead& head) {
    return !head.upgrade.empty() && !http::list_has(head.upgrade, "h2c");
}

bool navigates(const http::RequestHead& head) {
    const auto mode = head.get("Sec-Fetch-Mode");
    return !mode || iequals(*mode, "navigate");
}

// What a browser fetches in case its user goes there.
bool is_speculative(const http::RequestHead& head) {
    return head.get("Sec-Purpose").value_or("").contains("prefetch") ||
           head.get("Purpose").value_or("").contains("prefetch") || head.has("X-Moz", "prefetch");
}

// A frame of a page of the same origin is a part of that page (VS Code's webviews). Sec-Fetch-User does not
// tell more: browsers send it with whatever scripts do within seconds of a click.
bool is_part_of_a_page(const http::RequestHead& head) {
    const auto destination = head.get("Sec-Fetch-Dest");
    if (!destination || iequals(*destination, "document")) return false;
    if (!iequals(*destination, "iframe") && !iequals(*destination, "frame")) return true;
    return iequals(head.get("Sec-Fetch-Site").value_or(""), "same-origin");
}

}  // namespace

bool is_page_request(const http::RequestHead& head) {
    return head.method == "GET" && !is_upgrade(head) && !is_speculative(head) && navigates(head) &&
           !head.get("X-Requested-With") && head.get("Accept").value_or("").contains("text/html");
}

bool may_wake(const http::RequestHead& head, bool by_cookie) {
    if (is_upgrade(head) || is_speculative(head) || !navigates(head)) return false;
    if (!by_cookie) return true;
    return is_page_request(head) && !is_part_of_a_page(head);
}

bool comes_from_elsewhere(const http::RequestHead& head) {
    const auto site = head.get("Sec-Fetch-Site");
    return site && !iequals(*site, "same-origin") && !iequals(*site, "none");
}

std::optional<StartingQuery> starting_query(const http::RequestHead& head) {
    if (head.method != "GET" || is_upgrade(head)) return std::nullopt;
    auto rest = head.query();
    if (!rest.contains(kStartingParameter)) return std::nullopt;
    while (!rest.empty()) {
        const auto pair = take_pair(rest);
        if (!is_starting(pair)) continue;
        const auto value = pair.substr(std::min(pair.size(), kStartingParameter.size() + 1));
        if (value == kStartAgain) return StartingQuery{.again = true, .since = {}};
        // What is not a time of ours is one long ago: nobody waits any longer.
        constexpr std::int64_t kLatest = 1LL << 33;
        std::int64_t seconds = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
        const bool whole = error == std::errc() && end == value.data() + value.size();
        if (!whole || seconds < 0 || seconds >= kLatest) seconds = 0;
        return StartingQuery{.again = false, .since = base::from_unix_ms(seconds * 1000)};
    }
    return std::nullopt;
}

std::string query_without_starting(std::string_view query) {
    std::string kept;
    while (!query.empty()) {
        const bool more = query.contains('&');
        const auto pair = take_pair(query);
        if (is_starting(pair)) continue;
        kept.append(pair);
        if (more) kept += '&';
    }
    if (kept.ends_with('&')) kept.pop_back();
    return kept;
}

}  // namespace agentdb9::proxy
