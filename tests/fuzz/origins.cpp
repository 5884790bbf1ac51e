#include <algorithm>
#include <string>
#include <vector>

#include "http/head.hpp"
#include "http/message.hpp"
#include "http/websocket.hpp"
#include "http/websocket_frames.hpp"
#include "model/application_host.hpp"
#include "proxy/confinement.hpp"
#include "proxy/door.hpp"
#include "proxy/relay_headers.hpp"
#include "targets.hpp"

namespace agentdb9::fuzz {
namespace {

const std::string kId = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
constexpr std::string_view kPrefix = "/w/80";

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == text.npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return result;
}

// What a browser makes of a path (WHATWG URL: backslashes, tabs, dot segments also as %2e).
std::string resolved(std::string_view path) {
    std::string plain;
    for (char c : path)
        if (c != '\t' && c != '\n' && c != '\r') plain += c == '\\' ? '/' : c;
    std::vector<std::string> segments;
    auto parts = split(std::string_view(plain).substr(1), '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto name = lower(parts[i]);
        for (auto at = name.find("%2e"); at != name.npos; at = name.find("%2e"))
            name.replace(at, 3, ".");
        bool last = i + 1 == parts.size();
        if (name == "..") {
            if (!segments.empty()) segments.pop_back();
            if (last) segments.emplace_back();
        } else if (name == ".") {
            if (last) segments.emplace_back();
        } else {
            segments.emplace_back(parts[i]);
        }
    }
    std::string result;
    for (const auto& segment : segments)
        result += "/" + segment;
    return result.empty() ? "/" : result;
}

bool is_within_prefix(std::string_view path) {
    return path == kPrefix || (path.starts_with(kPrefix) && path.substr(kPrefix.size()).starts_with('/'));
}

bool is_field_value(std::string_view text) {
    return http::trim(text) == text && std::ranges::all_of(text, [](char c) {
               auto byte = static_cast<unsigned char>(c);
               return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
           });
}

// The cookie as a browser keeps it (RFC 6265bis section 5.6), and what it would send back.
void check_set_cookie(std::string_view value, bool stripped) {
    proxy::Confinement confinement{std::string(kPrefix), stripped, false};
    auto confined = proxy::confined_cookie(value, confinement);
    if (!confined) return;
    require(is_field_value(*confined), "a cookie is one field's value");
    auto parts = split(*confined, ';');
    auto pair = http::trim(parts.front());
    auto equals = pair.find('=');
    auto name = equals == pair.npos ? std::string_view() : http::trim(pair.substr(0, equals));
    auto content = equals == pair.npos ? pair : http::trim(pair.substr(equals + 1));
    auto sent_back = name.empty() ? std::string(content) : std::string(name) + "=" + std::string(content);
    require(!lower(sent_back).starts_with(proxy::kCookiePrefix),
            "a cookie of ours was set by an application");
    require(!lower(sent_back).starts_with("__host-"), "a cookie for the whole origin");
    std::string_view path;
    for (auto part : split(*confined, ';')) {
        auto mark = part.find('=');
        auto attribute = lower(http::trim(part.substr(0, mark)));
        require(attribute != "domain" || &part == &parts.front() || part.data() == parts.front().data(),
                "a cookie with a domain");
        if (attribute == "path" && part.data() != parts.front().data())
            path = mark == part.npos ? std::string_view() : http::trim(part.substr(mark + 1));
    }
    require(is_within_prefix(path), "a cookie's path leaves the prefix");
}

void check_cookie_field(std::string_view value) {
    http::RequestHead head;
    std::string text = "GET / HTTP/1.1\r\nHost: a\r\nCookie: ";
    if (http::parse_request_head(text.append(value).append("\r\n\r\n"), head)) return;
    auto relayed =
        proxy::upstream_request_head(head, "/", {"192.0.2.1", false, "http", "/p", "h", false, {}, "id"});
    http::RequestHead read;
    require(!http::parse_request_head(relayed, read), "a relayed request is read back");
    require(proxy::application_cookies(read).empty(), "our cookie reached an application");
    auto kept = read.get("Cookie");
    if (!kept) return;
    for (auto pair : split(*kept, ';'))
        require(!http::trim(pair).starts_with(proxy::kCookiePrefix),
                "a cookie of ours reached an application");
}

}  // namespace

void cookies(std::string_view bytes) {
    auto value = http::trim(bytes);
    if (!is_field_value(value)) return;
    for (bool stripped : {false, true}) {
        check_set_cookie(value, stripped);
        auto path = proxy::confined_path(value, {std::string(kPrefix), stripped, false});
        require(is_field_value(path), "a path is one field's value");
        require(is_within_prefix(path), "a path leaves the prefix");
        require(is_within_prefix(resolved(path)), "a browser resolves the path to one outside the prefix");
    }
    check_cookie_field(value);
}

void door(std::string_view bytes) {
    static const std::vector<proxy::Rewrite> kRewrites{{"/vscode", "vscode", std::nullopt},
                                                       {"/v", "x", std::nullopt}};
    http::RequestHead head;
    std::string text = "GET ";
    if (http::parse_request_head(text.append(bytes).append(" HTTP/1.1\r\nHost: a\r\n\r\n"), head)) return;
    auto path = head.path();
    for (auto origin : {proxy::Origin::kApi, proxy::Origin::kApplications, proxy::Origin::kOperator}) {
        auto found = proxy::find_door(origin, path, kRewrites);
        if (!found) continue;
        require(origin != proxy::Origin::kOperator, "no door for the operator");
        require(std::string(found->prefix) + std::string(found->rest) == path,
                "a door is the front of its path");
        require(found->rest.empty() || found->rest.starts_with('/'), "what is behind a door is a path");
        require(!found->prefix.starts_with("//") && found->prefix.starts_with('/'),
                "a redirect to a door stays on the host");
        require(found->rewrite || found->prefix.contains(found->workspace), "a door names its workspace");
        require(found->workspace.find('/') == found->workspace.npos, "a workspace is one segment");
        if (found->port) {
            auto port = proxy::parse_port(*found->port);
            require(!port || std::to_string(*port) == *found->port, "a port has one spelling");
        }
    }
    auto query = head.query();
    auto kept = proxy::query_without_ticket(query);
    require(proxy::ticket_in(kept).empty(), "no ticket is left");
    require(proxy::ticket_in(kept, proxy::kShareParameter).empty(), "no link is left");
    require(kept.size() <= query.size(), "nothing is added to a query");
    require(proxy::query_without_ticket(kept) == kept, "taking tickets out once is enough");
    require(kept.empty() || query.contains(proxy::kTicketParameter) ||
                query.contains(proxy::kShareParameter) || kept == query,
            "a query without a ticket stays");
}

void host(std::string_view bytes) {
    for (std::string_view domain : {"apps.test", "localhost"}) {
        auto name = model::parse_application_host(bytes, domain);
        auto below = lower(bytes.substr(0, bytes.find(':'))).ends_with("." + std::string(domain));
        if (!name) {
            require(!below || name.error() == model::HostFault::kUnknown,
                    "a name below the domain is not elsewhere");
            continue;
        }
        require(below, "an application's name is below the domain");
        auto written = model::application_host(name->workspace, name->port, domain);
        require(written == model::host_name_of(bytes), "an application has one name");
        require(written.size() <= model::kMaxHostName, "a name fits");
    }
}

namespace {

// What a reader makes of the bytes in pieces of one size: each message, and how it failed.
std::string read_in_pieces(std::string_view bytes, http::WebSocketSide side, std::size_t piece) {
    constexpr std::size_t kMost = 1000;
    http::WebSocketReader reader(side, kMost);
    std::string all;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        reader.push(bytes.substr(0, piece));
        while (const auto message = reader.next()) {
            require(message->bytes.size() <= kMost, "a message is larger than it may be");
            all += std::to_string(static_cast<int>(message->kind)) + ":" + std::to_string(message->code) +
                   ":" + std::to_string(message->bytes.size()) + ":" + message->bytes;
        }
    }
    return all + "=" + std::to_string(reader.failure());
}

}  // namespace

void websocket(std::string_view bytes) {
    for (const auto side : {http::WebSocketSide::kServer, http::WebSocketSide::kClient}) {
        const auto at_once = read_in_pieces(bytes, side, std::max<std::size_t>(bytes.size(), 1));
        require(read_in_pieces(bytes, side, 1) == at_once, "messages depend on how the bytes are cut");
        require(read_in_pieces(bytes, side, 3) == at_once, "messages depend on how the bytes are cut");
    }
    http::WebSocketFrameTracker whole;
    whole.feed(bytes);
    for (std::size_t step : {1UL, 2UL, 5UL, 64UL}) {
        http::WebSocketFrameTracker tracker;
        for (auto rest = bytes; !rest.empty(); rest.remove_prefix(std::min(step, rest.size())))
            tracker.feed(rest.substr(0, step));
        require(tracker.at_boundary() == whole.at_boundary() && tracker.close_seen() == whole.close_seen(),
                "frames do not depend on the split");
    }
    // From boundary to boundary, and a frame of ours fits at each.
    http::WebSocketFrameTracker tracker;
    for (auto rest = bytes; !rest.empty();) {
        auto used = tracker.feed_to_boundary(rest);
        require(used > 0 && used <= rest.size(), "feeding takes something");
        require(tracker.at_boundary() || used == rest.size(), "feeding stops at a boundary only");
        rest.remove_prefix(used);
        if (!tracker.at_boundary()) continue;
        auto copy = tracker;
        copy.feed(http::websocket_close_frame(1012, "restart"));
        require(copy.at_boundary() && copy.close_seen(), "a close frame fits between two frames");
    }
    require(tracker.at_boundary() == whole.at_boundary(), "frames end at the same place");
}

}  // namespace agentdb9::fuzz
