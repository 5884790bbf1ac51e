#include "proxy/relay_headers.hpp"

#include <algorithm>
#include <array>
#include <boost/container/static_vector.hpp>

#include "http/message.hpp"

namespace agentdb9::proxy {
namespace {

using http::FieldView;
using http::iequals;

template <std::size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
    return std::ranges::any_of(names, [&](std::string_view other) { return iequals(name, other); });
}

// Calls `visit` with each element between separators, trimmed.
template <class Visit>
void split(std::string_view list, char separator, Visit visit) {
    while (true) {
        auto end = list.find(separator);
        visit(http::trim(list.substr(0, end)));
        if (end == list.npos) return;
        list.remove_prefix(end + 1);
    }
}

// RFC 9110 section 7.6.1, and those that RFC 2616 counted.
bool is_hop_by_hop(std::string_view name) {
    constexpr std::array<std::string_view, 8> kNames{
        "Connection", "Keep-Alive",         "Proxy-Connection",  "Proxy-Authorization",
        "TE",         "Proxy-Authenticate", "Transfer-Encoding", "Upgrade"};
    return one_of(name, kNames);
}

// What the Connection fields of a head name, read once.
class ConnectionNames {
  public:
    explicit ConnectionNames(const http::Head& head) {
        for (const auto& field : head.fields) {
            if (!iequals(field.name, "Connection")) continue;
            split(field.value, ',', [this](std::string_view name) {
                if (!name.empty() && names_.size() < names_.capacity()) names_.push_back(name);
            });
        }
    }
    bool has(std::string_view name) const {
        const auto is = [&](std::string_view other) { return iequals(name, other); };
        if (std::ranges::none_of(names_, is)) return false;
        // A Connection field cannot take away what routes or frames the message.
        constexpr std::array<std::string_view, 4> kKept{"Host", "Content-Length", "Cookie", "Content-Type"};
        return !one_of(name, kKept);
    }

  private:
    // The parser lets no more pass.
    boost::container::static_vector<std::string_view, http::kMaxConnectionNames> names_;
};

// Says where a request came from. Also in the spelling with underscores, which CGI and WSGI servers cannot
// tell apart.
bool is_forwarding(std::string_view name) {
    std::array<char, 12> normal{};
    auto front = name.substr(0, normal.size());
    std::ranges::replace_copy(front, normal.begin(), '_', '-');
    std::string_view same(normal.data(), front.size());
    return iequals(same, "X-Forwarded-") ||
           (same.size() == name.size() && (iequals(same, "Forwarded") || iequals(same, "X-Real-IP")));
}

void add(std::string& head, std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
}

std::string without_our_cookies(std::string_view cookies) {
    std::string kept;
    split(cookies, ';', [&](std::string_view pair) {
        if (pair.empty() || is_our_cookie(pair)) return;
        if (!kept.empty()) kept += "; ";
        kept += pair;
    });
    return kept;
}

void add_forwarding(std::string& out, const http::RequestHead& head, const Forwarding& forwarding) {
    auto before = [&](std::string_view name) {
        return forwarding.trusted_peer ? head.get(name).value_or("") : std::string_view();
    };
    // Some proxies add a field of their own instead of an element.
    auto chain = forwarding.trusted_peer ? head.joined("X-Forwarded-For") : std::string();
    if (!forwarding.peer.empty()) {
        if (!chain.empty()) chain += ", ";
        chain += forwarding.peer;
    }
    if (!chain.empty()) add(out, "X-Forwarded-For", chain);
    auto host = before("X-Forwarded-Host");
    add(out, "X-Forwarded-Host", host.empty() ? head.host : host);
    add(out, "X-Forwarded-Proto", forwarding.scheme);
    const auto prefix = std::string(before("X-Forwarded-Prefix")).append(forwarding.prefix);
    if (!prefix.empty()) add(out, "X-Forwarded-Prefix", prefix);
}

bool is_framing(std::string_view name) {
    return iequals(name, "Content-Length") || iequals(name, "Transfer-Encoding");
}

// Adds what an application may say to a client; false for a field that is passed as it is.
bool add_confined(std::string& out, const FieldView& field, const Confinement& confinement) {
    if (is_kept_from_clients(field.name, confinement)) return true;
    if (iequals(field.name, "Set-Cookie")) {
        if (auto cookie = confined_cookie(field.value, confinement)) add(out, "Set-Cookie", *cookie);
        return true;
    }
    if (iequals(field.name, "Service-Worker-Allowed") && !confinement.own_origin) {
        add(out, field.name, confined_path(field.value, confinement));
        return true;
    }
    return false;
}

// Of digits, which the parser has checked.
std::string_view without_zeros_before(std::string_view number) {
    return number.substr(std::min(number.find_first_not_of('0'), number.size() - 1));
}

// With room for the rest of the head.
std::string status_line(const http::ResponseHead& head) {
    const auto reason = head.reason.empty() ? http::reason_phrase(head.status) : head.reason;
    std::string out;
    out.reserve(head.text.size() + 256);
    return out.append("HTTP/1.1 ")
        .append(std::to_string(head.status))
        .append(" ")
        .append(reason)
        .append("\r\n");
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string percent_decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        int low = high < 0 ? -1 : hex_value(text[i + 2]);
        if (low < 0) {
            result += text[i];
            continue;
        }
        result += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return result;
}

bool is_ticket(std::string_view pair) {
    auto name = pair.substr(0, pair.find('='));
    return name == kTicketParameter || name == kShareParameter;
}

}  // namespace

std::string upstream_request_head(const http::RequestHead& head, std::string_view target,
                                  const Forwarding& forwarding) {
    std::string out;
    out.reserve(head.text.size() + 256);
    out.append(head.method).append(" ").append(target).append(" HTTP/1.1\r\n");
    // RFC 9110 section 7.2: Host first. It passes unchanged: applications compare Origin with it.
    add(out, "Host", head.host.empty() ? std::string_view(forwarding.host) : head.host);
    const ConnectionNames connection_names(head);
    for (const auto& field : head.fields) {
        if (iequals(field.name, "Host") || is_hop_by_hop(field.name) || is_forwarding(field.name)) continue;
        // The proxy answers an expectation itself.
        if (iequals(field.name, "Expect") || iequals(field.name, "HTTP2-Settings")) continue;
        if (iequals(field.name, "Authorization") && !forwarding.pass_authorization) continue;
        if (connection_names.has(field.name)) continue;
        // As we read it: "010" is eight to some.
        if (iequals(field.name, "Content-Length")) {
            add(out, field.name, std::to_string(head.framing.length));
            continue;
        }
        if (iequals(field.name, "X-Request-Id")) continue;
        // The address of a page may hold a ticket that nobody has used, or a link.
        if (iequals(field.name, "Referer") &&
            (field.value.contains(kTicketParameter) || field.value.contains(kShareParameter)))
            continue;
        if (iequals(field.name, "Cookie")) {
            if (auto kept = without_our_cookies(field.value); !kept.empty()) add(out, field.name, kept);
            continue;
        }
        add(out, field.name, field.value);
    }
    if (head.framing.kind == http::Framing::Kind::kChunked) add(out, "Transfer-Encoding", "chunked");
    // RFC 9110 section 10.1.4: trailers are relayed, so that the application may be told they are welcome.
    bool trailers = head.minor_version > 0 && head.has("TE", "trailers");
    if (trailers) add(out, "TE", "trailers");
    if (!forwarding.upgrade.empty()) {
        add(out, "Upgrade", forwarding.upgrade);
        add(out, "Connection", "Upgrade");
    } else if (trailers) {
        add(out, "Connection", "TE");
    }
    add_forwarding(out, head, forwarding);
    add(out, "X-Request-Id", forwarding.request_id);
    return out.append("\r\n");
}

std::string client_response_head(const http::ResponseHead& head, const Confinement& confinement,
                                 ClientFraming framing, std::string_view connection,
                                 std::string_view request_id) {
    std::string out = status_line(head);
    const ConnectionNames connection_names(head);
    for (const auto& field : head.fields) {
        if (is_hop_by_hop(field.name)) continue;
        if (connection_names.has(field.name)) continue;
        // RFC 9110 section 8.6: a 204 has no length, not even zero.
        if (is_framing(field.name) && (framing != ClientFraming::kAsIs || head.status == 204)) continue;
        // As we read it, like a request's.
        if (iequals(field.name, "Content-Length")) {
            add(out, field.name, without_zeros_before(field.value));
            continue;
        }
        if (!add_confined(out, field, confinement)) add(out, field.name, field.value);
    }
    bool chunked = framing == ClientFraming::kChunked ||
                   (framing == ClientFraming::kAsIs && head.framing.kind == http::Framing::Kind::kChunked);
    if (chunked) add(out, "Transfer-Encoding", "chunked");
    // An origin of its own, so that a page cannot act on the API's with the tokens kept there.
    if (confinement.sandbox)
        add(out, "Content-Security-Policy",
            "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads");
    if (!connection.empty()) add(out, "Connection", connection);
    add(out, "X-Request-Id", request_id);
    return out.append("\r\n");
}

std::string client_interim_head(const http::ResponseHead& head, std::string_view request_id) {
    std::string out = status_line(head);
    const ConnectionNames connection_names(head);
    for (const auto& field : head.fields) {
        // Nothing in them is for longer than this one exchange.
        if (is_framing(field.name) || iequals(field.name, "Set-Cookie") ||
            iequals(field.name, "Service-Worker-Allowed") || is_kept_from_clients(field.name, {}))
            continue;
        bool switches = head.status == 101 && iequals(field.name, "Upgrade");
        if (!switches && (is_hop_by_hop(field.name) || connection_names.has(field.name))) continue;
        add(out, field.name, field.value);
    }
    if (head.status == 101) {
        add(out, "Connection", "Upgrade");
        add(out, "X-Request-Id", request_id);
    }
    return out.append("\r\n");
}

std::string passable_trailers(std::string_view lines) {
    std::string out;
    while (!lines.empty()) {
        auto line = lines.substr(0, lines.find("\r\n"));
        lines.remove_prefix(std::min(lines.size(), line.size() + 2));
        auto name = line.substr(0, line.find(':'));
        if (name.size() == line.size() || !http::is_token(name)) continue;
        bool control = std::ranges::any_of(line, [](char c) {
            auto byte = static_cast<unsigned char>(c);
            return byte == 0x7f || (byte < 0x20 && byte != '\t');
        });
        // RFC 9110 section 6.5.1: nothing that frames, routes, authenticates or that a recipient might merge
        // into the head.
        constexpr std::array<std::string_view, 9> kNever{
            "Host",          "Authorization", "Cookie",
            "Set-Cookie",    "Content-Type",  "Content-Encoding",
            "Content-Range", "Trailer",       "Content-Security-Policy"};
        if (control || is_hop_by_hop(name) || is_framing(name) || is_forwarding(name) ||
            one_of(name, kNever) || is_kept_from_clients(name, {}))
            continue;
        out.append(line).append("\r\n");
    }
    return out;
}

std::string query_without_ticket(std::string_view query) {
    std::string kept;
    bool any = false;
    split(query, '&', [&](std::string_view pair) {
        if (is_ticket(pair)) return;
        if (std::exchange(any, true)) kept += '&';
        kept += pair;
    });
    return kept;
}

std::string query_part_without_ticket(std::string_view target) {
    const auto mark = target.find('?');
    if (mark == target.npos) return {};
    const auto query = target.substr(mark + 1);
    const auto kept = query_without_ticket(query);
    if (kept.empty() && !query.empty()) return {};
    return "?" + kept;
}

std::string ticket_in(std::string_view query, std::string_view parameter) {
    std::string ticket;
    split(query, '&', [&](std::string_view pair) {
        auto equals = pair.find('=');
        if (equals != pair.npos && pair.substr(0, equals) == parameter && ticket.empty())
            ticket = percent_decoded(pair.substr(equals + 1));
    });
    return ticket;
}

std::vector<std::string_view> application_cookies(const http::RequestHead& head, std::string_view name) {
    std::vector<std::string_view> values;
    for (const auto& field : head.fields) {
        if (!iequals(field.name, "Cookie")) continue;
        split(field.value, ';', [&](std::string_view pair) {
            auto equals = pair.find('=');
            if (equals != pair.npos && pair.substr(0, equals) == name)
                values.push_back(pair.substr(equals + 1));
        });
    }
    return values;
}

}  // namespace agentdb9::proxy
