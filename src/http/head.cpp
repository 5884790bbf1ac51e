#include "http/head.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/message.hpp"

namespace agentdb9::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
// Room that is made at once.
constexpr std::size_t kUsualFields = 24;

constexpr std::array<bool, 256> token_table() {
    std::array<bool, 256> table{};
    for (unsigned c = '0'; c <= '9'; ++c)
        table[c] = true;
    for (unsigned c = 'a'; c <= 'z'; ++c)
        table[c] = true;
    for (unsigned c = 'A'; c <= 'Z'; ++c)
        table[c] = true;
    for (char c : std::string_view("!#$%&'*+-.^_`|~"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}
constexpr auto kToken = token_table();

// All of `text`, without an end at the first that is not: most are good, and many go at once.
template <class Good>
bool every(std::string_view text, Good good) {
    bool all = true;
    for (const char c : text)
        all &= good(static_cast<unsigned char>(c));
    return all;
}

bool is_field_text(std::string_view value) {
    return every(value, [](unsigned char byte) { return byte == '\t' || (byte >= 0x20 && byte != 0x7f); });
}

bool is_target_text(std::string_view target) {
    return !target.empty() &&
           every(target, [](unsigned char byte) { return byte > 0x20 && byte < 0x7f && byte != '#'; });
}

// RFC 9112 section 3.2: a name or an address, and perhaps a port of digits. Empty: no host is meant.
bool is_host(std::string_view text) {
    if (text.empty()) return true;
    auto colon = text.rfind(':');
    if (colon != text.npos && !text.substr(colon).contains(']')) {
        if (!std::ranges::all_of(text.substr(colon + 1), [](char c) { return c >= '0' && c <= '9'; }))
            return false;
        text = text.substr(0, colon);
    }
    const bool address = text.starts_with('[') && text.ends_with(']');
    if (address) text = text.substr(1, text.size() - 2);
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return kToken[static_cast<unsigned char>(c)] || c == '(' || c == ')' || (address && c == ':');
    });
}

// "HTTP/1.0" or "HTTP/1.1"; -1 for another version, -2 for something else.
int parse_version(std::string_view text) {
    if (text.size() != 8 || !text.starts_with("HTTP/") || text[6] != '.') return -2;
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!digit(text[5]) || !digit(text[7])) return -2;
    if (text[5] != '1') return -1;
    return text[7] == '0' ? 0 : 1;
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
    if (text.empty() || text.size() > 18) return std::nullopt;
    if (!std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
    std::uint64_t length = 0;
    std::from_chars(text.data(), text.data() + text.size(), length);
    return length;
}

std::optional<HeadError> parse_fields(std::string_view text, std::vector<FieldView>& fields) {
    fields.reserve(kUsualFields);
    while (!text.empty()) {
        auto end = text.find(kLineEnd);
        auto line = text.substr(0, end);
        text.remove_prefix(end + kLineEnd.size());
        if (line.front() == ' ' || line.front() == '\t') return HeadError{400, "a folded header field"};
        auto colon = line.find(':');
        if (colon == line.npos || !is_token(line.substr(0, colon)))
            return HeadError{400, "a malformed header field name"};
        auto value = line.substr(colon + 1);
        while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
            value.remove_prefix(1);
        while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
            value.remove_suffix(1);
        if (!is_field_text(value)) return HeadError{400, "a control character in a header field"};
        if (fields.size() == kMaxFields) return HeadError{431, "too many header fields"};
        fields.push_back({line.substr(0, colon), value});
    }
    return std::nullopt;
}

struct FramingFields {
    std::size_t lengths = 0;
    std::size_t codings = 0;
    std::string_view length;
    std::string_view coding;
};

FramingFields framing_fields(const Head& head) {
    FramingFields found;
    for (const auto& field : head.fields) {
        if (iequals(field.name, "Content-Length")) {
            ++found.lengths;
            found.length = field.value;
        } else if (iequals(field.name, "Transfer-Encoding")) {
            ++found.codings;
            found.coding = field.value;
        }
    }
    return found;
}

// RFC 9112 section 6.3, with every doubtful case refused.
std::expected<std::optional<Framing>, HeadError> explicit_framing(const Head& head) {
    auto found = framing_fields(head);
    if (found.codings > 0) {
        if (found.lengths > 0)
            return std::unexpected(HeadError{400, "Transfer-Encoding together with Content-Length"});
        if (found.codings > 1 || !iequals(found.coding, "chunked"))
            return std::unexpected(HeadError{400, "a transfer coding other than chunked"});
        if (head.minor_version == 0) return std::unexpected(HeadError{400, "Transfer-Encoding in HTTP/1.0"});
        return Framing{Framing::Kind::kChunked, 0};
    }
    if (found.lengths == 0) return std::nullopt;
    if (found.lengths > 1) return std::unexpected(HeadError{400, "more than one Content-Length"});
    auto length = parse_length(found.length);
    if (!length) return std::unexpected(HeadError{400, "a malformed Content-Length"});
    return Framing{Framing::Kind::kLength, *length};
}

std::optional<HeadError> check_connection(const Head& head) {
    std::size_t names = 0;
    for (const auto& field : head.fields)
        if (iequals(field.name, "Connection"))
            names += 1 + static_cast<std::size_t>(std::ranges::count(field.value, ','));
    if (names > kMaxConnectionNames) return HeadError{431, "too many names in Connection"};
    return std::nullopt;
}

bool wants_keep_alive(const Head& head) {
    if (head.minor_version == 0)
        return head.has("Connection", "keep-alive") && !head.has("Connection", "close");
    return !head.has("Connection", "close");
}

std::optional<HeadError> check_host(RequestHead& head) {
    std::size_t hosts = 0;
    for (const auto& field : head.fields) {
        if (!iequals(field.name, "Host")) continue;
        ++hosts;
        head.host = field.value;
    }
    if (hosts > 1) return HeadError{400, "more than one Host"};
    if (hosts == 0 && head.minor_version > 0) return HeadError{400, "no Host"};
    if (!is_host(head.host)) return HeadError{400, "a malformed Host"};
    return std::nullopt;
}

// RFC 9112 section 3.2: origin form, "*" for OPTIONS, and an absolute form that names this host. The rest is
// for a forward proxy, which this is not.
std::optional<HeadError> check_target(RequestHead& head) {
    if (head.method == "CONNECT") return HeadError{400, "CONNECT is not supported"};
    if (head.target.starts_with('/')) return std::nullopt;
    if (head.target == "*" && head.method == "OPTIONS") return std::nullopt;
    for (std::string_view scheme : {"http://", "https://"}) {
        if (head.target.size() < scheme.size() || !iequals(head.target.substr(0, scheme.size()), scheme))
            continue;
        auto rest = head.target.substr(scheme.size());
        auto slash = rest.find_first_of("/?");
        if (head.host.empty() || !iequals(rest.substr(0, slash), head.host))
            return HeadError{400, "the target names another host"};
        if (slash != rest.npos && rest[slash] == '?') return HeadError{400, "the target has no path"};
        head.target = slash == rest.npos ? std::string_view("/") : rest.substr(slash);
        return std::nullopt;
    }
    return HeadError{400, "a malformed request target"};
}

}  // namespace

bool is_token(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](char c) { return kToken[static_cast<unsigned char>(c)]; });
}

bool is_idempotent(std::string_view method) {
    constexpr std::array<std::string_view, 6> kIdempotent{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    return std::ranges::find(kIdempotent, method) != kIdempotent.end();
}

std::expected<std::optional<std::size_t>, HeadError> find_head_end(std::string_view data,
                                                                   std::size_t searched) {
    auto limit = data.substr(0, kMaxHeadSize);
    for (auto at = limit.find('\n', searched); at != limit.npos; at = limit.find('\n', at + 1)) {
        if (at == 0 || limit[at - 1] != '\r')
            return std::unexpected(HeadError{400, "a line that ends with LF alone"});
        if (at >= 3 && limit[at - 2] == '\n') return at + 1;
    }
    if (limit.size() == kMaxHeadSize) return std::unexpected(HeadError{431, "the head is too large"});
    return std::nullopt;
}

std::optional<std::string_view> Head::get(std::string_view name) const {
    for (const auto& field : fields)
        if (iequals(field.name, name)) return field.value;
    return std::nullopt;
}

std::string Head::joined(std::string_view name) const {
    std::string list;
    for (const auto& field : fields) {
        if (!iequals(field.name, name) || field.value.empty()) continue;
        if (!list.empty()) list += ", ";
        list += field.value;
    }
    return list;
}

bool Head::has(std::string_view name, std::string_view token) const {
    return std::ranges::any_of(fields, [&](const FieldView& field) {
        return iequals(field.name, name) && list_has(field.value, token);
    });
}

std::string_view RequestHead::query() const {
    auto mark = target.find('?');
    return mark == target.npos ? std::string_view() : target.substr(mark + 1);
}

std::optional<HeadError> parse_request_head(std::string text, RequestHead& head) {
    head.text = std::move(text);
    head.fields.clear();
    head.host = head.upgrade = {};
    std::string_view rest = head.text;
    auto line = rest.substr(0, rest.find(kLineEnd));
    rest.remove_prefix(line.size() + kLineEnd.size());
    rest.remove_suffix(kLineEnd.size());
    auto first = line.find(' ');
    auto last = line.rfind(' ');
    if (first == line.npos || first == last) return HeadError{400, "a malformed request line"};
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    auto version = parse_version(line.substr(last + 1));
    if (version == -1) return HeadError{505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    if (version < 0 || !is_token(head.method) || !is_target_text(head.target))
        return HeadError{400, "a malformed request line"};
    head.minor_version = version;
    if (auto error = parse_fields(rest, head.fields)) return error;
    if (auto error = check_host(head)) return error;
    if (auto error = check_target(head)) return error;
    if (auto error = check_connection(head)) return error;
    auto framing = explicit_framing(head);
    if (!framing) return framing.error();
    head.framing = framing->value_or(Framing{});
    if (head.framing.kind == Framing::Kind::kLength && head.framing.length == 0) head.framing = {};
    head.keep_alive = wants_keep_alive(head);
    head.expects_continue = version == 1 && head.has("Expect", "100-continue");
    if (head.has("Connection", "upgrade")) head.upgrade = head.get("Upgrade").value_or("");
    return std::nullopt;
}

std::optional<HeadError> parse_response_head(std::string text, std::string_view request_method,
                                             ResponseHead& head) {
    head.text = std::move(text);
    head.fields.clear();
    std::string_view rest = head.text;
    auto line = rest.substr(0, rest.find(kLineEnd));
    rest.remove_prefix(line.size() + kLineEnd.size());
    rest.remove_suffix(kLineEnd.size());
    if (line.size() < 12 || line[8] != ' ') return HeadError{400, "a malformed status line"};
    head.minor_version = parse_version(line.substr(0, 8));
    auto [end, ec] = std::from_chars(line.data() + 9, line.data() + 12, head.status);
    if (head.minor_version < 0 || ec != std::errc() || end != line.data() + 12 || head.status < 100)
        return HeadError{400, "a malformed status line"};
    if (line.size() > 12 && line[12] != ' ') return HeadError{400, "a malformed status line"};
    head.reason = line.size() > 13 ? line.substr(13) : std::string_view();
    if (!is_field_text(head.reason)) return HeadError{400, "a control character in the status line"};
    if (auto error = parse_fields(rest, head.fields)) return error;
    if (auto error = check_connection(head)) return error;
    auto framing = explicit_framing(head);
    if (!framing) return framing.error();
    head.keep_alive = wants_keep_alive(head);
    bool bodiless = request_method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304;
    head.framing = bodiless ? Framing{} : framing->value_or(Framing{Framing::Kind::kUntilClose, 0});
    return std::nullopt;
}

}  // namespace agentdb9::http
