// Request and response heads of HTTP/1.1 (RFC 9112), read strictly: what two parsers could understand in two
// ways is refused. Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agentdb9::http {

inline constexpr std::size_t kMaxHeadSize = 32UL * 1024;
inline constexpr std::size_t kMaxFields = 200;
// Elements of all Connection fields together, empty ones too: each field of the head is looked up among them.
inline constexpr std::size_t kMaxConnectionNames = 64;

// Why a head is refused: the status to answer with (400, 431, 501, 505) and half a sentence for the log and
// the client.
struct HeadError {
    int status = 400;
    std::string_view reason;
};

// The length of the head at the front of `data`, its empty line included; absent when it is not there yet. A
// line that ends with LF alone is an error at once, and so is a head that grows over kMaxHeadSize.
// `searched`: bytes known to hold no end.
std::expected<std::optional<std::size_t>, HeadError> find_head_end(std::string_view data,
                                                                   std::size_t searched);

// How a message's body ends (RFC 9112 section 6.3).
struct Framing {
    enum class Kind { kNone, kLength, kChunked, kUntilClose };
    Kind kind = Kind::kNone;
    std::uint64_t length = 0;
};

struct FieldView {
    std::string_view name;
    std::string_view value;
};

// Owns the head's text; the views point into it. Not copied, and not moved, once parsed.
struct Head {
    Head() = default;
    Head(const Head&) = delete;
    Head& operator=(const Head&) = delete;

    std::string text;
    std::vector<FieldView> fields;
    int minor_version = 1;

    // The first field of that name.
    std::optional<std::string_view> get(std::string_view name) const;
    // Every field of that name as one list (RFC 9110 section 5.3); empty without any.
    std::string joined(std::string_view name) const;
    // Whether any field of that name has the list element `token`.
    bool has(std::string_view name, std::string_view token) const;
};

struct RequestHead : Head {
    std::string_view method;
    std::string_view target;  // origin form, or "*"
    std::string_view host;    // empty in HTTP/1.0 without one
    Framing framing;
    bool keep_alive = false;
    bool expects_continue = false;
    std::string_view upgrade;  // the Upgrade field where Connection names it, else empty

    std::string_view path() const { return target.substr(0, target.find('?')); }
    std::string_view query() const;
};

struct ResponseHead : Head {
    int status = 0;
    std::string_view reason;
    Framing framing;
    bool keep_alive = false;
};

// `text` is what find_head_end() measured.
std::optional<HeadError> parse_request_head(std::string text, RequestHead& head);
// The framing depends on the request's method as well (HEAD; CONNECT is never sent).
std::optional<HeadError> parse_response_head(std::string text, std::string_view request_method,
                                             ResponseHead& head);

// GET, HEAD, OPTIONS, TRACE, PUT, DELETE (RFC 9110 section 9.2.2).
bool is_idempotent(std::string_view method);
bool is_token(std::string_view text);

}  // namespace agentdb9::http
